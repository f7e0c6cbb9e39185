import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { PlatformRole } from '../../contract/permissions.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import type { USER_STATUSES, User } from './schemas.ts';

export class UserModel extends BaseModel {
  static override tableName = 'users';

  declare email: string;
  /** The mailbox: normalised, so that one mailbox has one account. */
  declare emailKey: string;
  declare username: string | null;
  /** Null while the address is not verified: the username is requested, not claimed. */
  declare usernameKey: string | null;
  declare fullName: string | null;
  declare passwordHash: string | null;
  declare status: (typeof USER_STATUSES)[number];
  declare role: PlatformRole;
  declare emailVerifiedAt: Date | null;
  /** When the address was registered again before it was verified: the password may be a stranger's. */
  declare registeredAgainAt: Date | null;
  /** Null without a second factor. */
  declare twoFactorEnabledAt: Date | null;
  declare defaultOrganizationId: number;
  /** Made at registration: the user's organization when they have no other. */
  declare personalOrganizationId: number;
  declare avatarId: number | null;
  declare metadata: User['metadata'];
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<UserModel> {
    return {
      id: 'usr',
      keep: [
        'email',
        'username',
        'fullName',
        'status',
        'role',
        'emailVerifiedAt',
        'registeredAgainAt',
        'twoFactorEnabledAt',
        'metadata',
        'version',
        'createdAt',
        'updatedAt',
      ],
      refs: { defaultOrganizationId: 'org', personalOrganizationId: 'org', avatarId: 'avt' },
      invalidates: ({ id }) => `user:${id}`,
    };
  }

  /** A row of `USER_COLUMNS`. Field by field, because copying whatever a row has takes ten times as long. */
  static ofRow(row: UserColumns): UserModel {
    const user = new UserModel();
    user.id = row.id;
    user.email = row.email;
    user.username = row.username;
    user.fullName = row.fullName;
    user.status = row.status;
    user.role = row.role;
    user.emailVerifiedAt = row.emailVerifiedAt;
    user.twoFactorEnabledAt = row.twoFactorEnabledAt;
    user.defaultOrganizationId = row.defaultOrganizationId;
    user.avatarId = row.avatarId;
    user.metadata = row.metadata;
    user.version = row.version;
    user.createdAt = row.createdAt;
    user.updatedAt = row.updatedAt;
    return user;
  }

  /** Null where there is no picture. Its id is enough to see it, and cannot be guessed. */
  avatarUrl(ids: Ids): string | null {
    return this.avatarId === null ? null : ids.link(`/api/v1/avatars/${ids.encode('avt', this.avatarId)}`);
  }

  /** The only way out of the model: no hash, no key, no row id. */
  present(ids: Ids): User {
    return {
      id: ids.encode('usr', this.id),
      email: this.email,
      username: this.username,
      fullName: this.fullName,
      avatarUrl: this.avatarUrl(ids),
      status: this.status,
      role: this.role,
      emailVerifiedAt: isoOrNull(this.emailVerifiedAt),
      twoFactorEnabled: this.twoFactorEnabledAt !== null,
      defaultOrganizationId: ids.encode('org', this.defaultOrganizationId),
      metadata: this.metadata,
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
    };
  }
}

/** The columns of `users u` that `present` and the access rules need, under the names of the model's fields. */
export const USER_COLUMNS = `
  u.id, u.email, u.username, u.full_name as "fullName", u.status, u.role, u.email_verified_at as "emailVerifiedAt",
  u.two_factor_enabled_at as "twoFactorEnabledAt",
  u.default_organization_id as "defaultOrganizationId", u.avatar_id as "avatarId", u.metadata, u.version,
  u.created_at as "createdAt", u.updated_at as "updatedAt"`;

export type UserColumns = Pick<
  UserModel,
  | 'id'
  | 'email'
  | 'username'
  | 'fullName'
  | 'status'
  | 'role'
  | 'emailVerifiedAt'
  | 'twoFactorEnabledAt'
  | 'defaultOrganizationId'
  | 'avatarId'
  | 'metadata'
  | 'version'
  | 'createdAt'
  | 'updatedAt'
>;

export function usernameKey(username: string | null | undefined): string | null {
  return username?.toLowerCase() ?? null;
}
