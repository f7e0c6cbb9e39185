import { randomUUID } from 'node:crypto';
import type { Context } from '../../context.ts';
import { UserModel } from '../users/model.ts';

/** For the statements that an address without an account costs as well, and that are undone. */
export const decoyEmail = (): string => `${randomUUID()}@decoy.invalid`;

export function decoyUser({ now }: Context, email: string): UserModel {
  return UserModel.hydrate({
    id: 1,
    email,
    username: null,
    fullName: null,
    status: 'ACTIVE',
    role: 'USER',
    emailVerifiedAt: null,
    registeredAgainAt: null,
    twoFactorEnabledAt: null,
    avatarId: null,
    defaultOrganizationId: 1,
    personalOrganizationId: 1,
    metadata: {},
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
}
