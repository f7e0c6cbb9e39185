import { z } from 'zod';
import { ORGANIZATION_ROLES } from '../../contract/permissions.ts';
import { BaseModel } from '../../data/base-model.ts';

/** A deleted account can be restored for this long. */
export const RESTORE_ACCOUNT_MS = 30 * 86_400_000;

/** What a membership was, so that restoring the account gives it back. */
export const FormerMembership = z.object({
  organizationId: z.int(),
  role: z.enum(ORGANIZATION_ROLES),
  roleIds: z.array(z.int()),
});
export type FormerMembership = z.output<typeof FormerMembership>;

export class UserDeletionModel extends BaseModel {
  static override tableName = 'user_deletions';
  static override jsonAttributes = ['memberships']; // otherwise an array is sent as one of Postgres

  declare userId: number;
  declare memberships: FormerMembership[];
  declare deletedAt: Date;
  declare eraseAt: Date;
}
