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
  /** EXPIRED only once another has taken its place: until then a pending one can be sent again. */
  declare status: Invitation['status'];
  /** Whoever vouches for it, one of the two: they must still be able to grant the role when it is accepted. */
  declare inviterUserId: number | null;
  declare inviterKeyId: number | null;
  /** Null until the mail is on its way, and once it is settled. */
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

  present(ids: Ids): Invitation {
    return {
      id: ids.encode('ivt', this.id),
      organizationId: ids.encode('org', this.organizationId),
      email: this.email,
      role: this.role,
      status: this.status,
      invitedBy: this.inviterUserId === null ? null : ids.encode('usr', this.inviterUserId),
      expiresAt: iso(this.expiresAt),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}
