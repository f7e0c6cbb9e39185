import type { OrganizationPermission, OrganizationRole } from '../contract/permissions.ts';
import type { KeyEnvironment } from '../slices/api-keys/secret.ts';
import type { UserModel } from '../slices/users/model.ts';
import type { KeyTerms, Terms } from './entitlements.ts';

/** A person with a live session. */
export interface UserActor {
  kind: 'user';
  user: UserModel;
  session: { id: number; publicId: string; authenticatedAt: Date };
  /** Membership in the organization of the call, where there is one. */
  membership: Membership | null;
}

export interface Membership {
  organizationId: number;
  role: OrganizationRole;
  /** What the role and the assigned custom roles allow together. */
  permissions: ReadonlySet<OrganizationPermission>;
  terms: Terms;
  /** Whether there are none because the organization asks for a second factor, and the person has none. */
  needsTwoFactor?: boolean;
}

/** A program with an API key. It acts for its organization, not for a person. */
export interface KeyActor {
  kind: 'key';
  key: {
    id: number;
    organizationId: number;
    environment: KeyEnvironment;
    permissions: ReadonlySet<OrganizationPermission>;
    limits: KeyTerms;
    /** Of its organization. */
    terms: Terms;
  };
  /** The creator of the key, while still a member. */
  creator: UserModel | null;
}

export type Actor = UserActor | KeyActor;
