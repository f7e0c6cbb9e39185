import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { OrganizationPermission, OrganizationRole } from '../../contract/permissions.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { RoleModel } from '../roles/model.ts';
import type { UserModel } from '../users/model.ts';
import type { Member } from './schemas.ts';

export class MemberModel extends TenantModel {
  static override tableName = 'organization_members';

  declare userId: number;
  declare role: OrganizationRole;
  /** What the assigned custom roles add; written whenever they or their assignments change. */
  declare customPermissions: OrganizationPermission[];
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<MemberModel> {
    return {
      kind: 'member',
      keep: ['role', 'customPermissions', 'version', 'createdAt', 'updatedAt'],
      refs: { organizationId: 'org', userId: 'usr' },
      invalidates: ({ userId }) => `user:${userId}`,
    };
  }

  present(ids: Ids, user: UserModel, roles: readonly RoleModel[]): Member {
    return {
      userId: ids.encode('usr', this.userId),
      email: user.email,
      username: user.username,
      fullName: user.fullName,
      avatarUrl: user.avatarUrl(ids),
      role: this.role,
      roles: roles.map((role) => ({ id: ids.encode('rol', role.id), name: role.name })),
      joinedAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}
