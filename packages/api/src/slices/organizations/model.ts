import { BaseModel } from '../../base-model.ts';
import type { OrganizationRole } from '../../contract/permissions.ts';

/** A tenant. */
export class OrganizationModel extends BaseModel {
  static override tableName = 'organizations';

  declare name: string;
  /** Made at registration for one person. */
  declare personal: boolean;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;
}

export class OrganizationMemberModel extends BaseModel {
  static override tableName = 'organization_members';

  declare organizationId: number;
  declare userId: number;
  declare role: OrganizationRole;
  declare createdAt: Date;
}
