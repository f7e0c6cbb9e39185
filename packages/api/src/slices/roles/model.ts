import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import { isOrganizationPermission, type OrganizationPermission } from '../../contract/permissions.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Role } from './schemas.ts';

/** A custom role of an organization. */
export class RoleModel extends TenantModel {
  static override tableName = 'roles';

  declare name: string;
  /** Lower case, so that no two roles differ by case alone. */
  declare nameKey: string;
  declare description: string | null;
  declare parentId: number | null;
  declare permissions: OrganizationPermission[];
  /** Its own permissions and those of all its ancestors; written whenever one of them changes. */
  declare effectivePermissions: OrganizationPermission[];
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<RoleModel> {
    return {
      id: 'rol',
      keep: ['name', 'description', 'permissions', 'effectivePermissions', 'version', 'createdAt', 'updatedAt'],
      refs: { organizationId: 'org', parentId: 'rol' },
    };
  }

  present(ids: Ids): Role {
    // A permission that a later version removed from the contract is dropped.
    const own = this.permissions.filter(isOrganizationPermission);
    return {
      id: ids.encode('rol', this.id),
      name: this.name,
      description: this.description,
      system: false,
      parentId: this.parentId === null ? null : ids.encode('rol', this.parentId),
      permissions: own,
      inheritedPermissions: this.effectivePermissions
        .filter(isOrganizationPermission)
        .filter((permission) => !own.includes(permission)),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}

export class RoleAssignmentModel extends TenantModel {
  static override tableName = 'role_assignments';

  declare userId: number;
  declare roleId: number;
  declare createdAt: Date;
}
