import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { OrganizationRole } from '../../contract/permissions.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Invitation } from './schemas.ts';

export class InvitationModel extends TenantModel {
  static override tableName = 'organization_invitations';

  declare email: string;
  declare emailKey: string;
  declare role: OrganizationRole;
  /** PENDING also after `expiresAt`; EXPIRED is written only when another invitation to the mailbox replaces it. */
  declare status: Invitation['status'];
  /** One of the two: the inviter must still be able to grant the role when it is accepted. */
  declare inviterUserId: number | null;
  declare inviterKeyId: number | null;
  /** Whose mailbox it was, where they have another address since: it is erased with their account. */
  declare formerUserId: number | null;
  /** Null until the mail is sent, and after the invitation is settled. */
  declare tokenHash: Buffer | null;
  declare expiresAt: Date;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<InvitationModel> {
    return {
      id: 'ivt',
      keep: ['email', 'role', 'status', 'expiresAt', 'version', 'createdAt', 'updatedAt'],
      refs: { organizationId: 'org', inviterUserId: 'usr', inviterKeyId: 'key' },
    };
  }

  /** By the clock: a pending invitation expires by itself. */
  statusAt(now: Date): Invitation['status'] {
    return this.status === 'PENDING' && this.expiresAt <= now ? 'EXPIRED' : this.status;
  }

  present(ids: Ids, now: Date): Invitation {
    return {
      id: ids.encode('ivt', this.id),
      organizationId: ids.encode('org', this.organizationId),
      email: this.email,
      role: this.role,
      status: this.statusAt(now),
      invitedBy: this.inviterUserId === null ? null : ids.encode('usr', this.inviterUserId),
      expiresAt: iso(this.expiresAt),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}
