import { emailKey, mailAddressFault } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { lockMailbox } from '../../../data/name-locks.ts';
import { record } from '../../../events/record.ts';
import { EmailVerified } from '../../auth/events.ts';
import { createAccount } from '../../auth/service/register.ts';
import { endAccess, verifiedFields } from '../../auth/service/verify-email.ts';
import { endWaysIn } from '../../auth/service/ways-in.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { FullName } from '../../users/schemas.ts';
import type { OAuthClient, Redeemed } from '../client.ts';
import { IdentityLinked } from '../events.ts';
import { UserIdentityModel } from '../model.ts';

/**
 * The account of a person at a provider, in the caller's transaction. An identity is found by issuer and subject alone;
 * only its first login looks at the address, which both sides must have verified.
 */
export async function resolveUser(ctx: Context, client: OAuthClient, person: Redeemed): Promise<UserModel> {
  const { issuer, subject, email } = person;
  const known = await UserIdentityModel.query(ctx.db).findOne({ issuer, subject });
  if (known) {
    await UserIdentityModel.query(ctx.db).findById(known.id).patch({ email, lastUsedAt: ctx.now });
    return activeUser(await UserModel.query(ctx.db).findById(known.userId).forShare().throwIfNotFound());
  }
  const user = await userOfAddress(ctx, person);
  await linkTo(ctx, client, person, user);
  return user;
}

async function userOfAddress(ctx: Context, { verifiedEmail, fullName }: Redeemed): Promise<UserModel> {
  if (verifiedEmail === null || mailAddressFault(verifiedEmail)) throw new ApiError('oauth_email_unverified');
  await lockMailbox(ctx.db, verifiedEmail);
  const owner = await UserModel.query(ctx.db)
    .findOne({ emailKey: emailKey(verifiedEmail) })
    .forUpdate();
  if (owner) return activeUser(owner).emailVerifiedAt ? owner : takeOver(ctx, owner);
  const name = FullName.safeParse(fullName).data ?? null;
  return createAccount(ctx, { email: verifiedEmail, fullName: name, passwordHash: null, emailVerifiedAt: ctx.now });
}

/** A registration that did not verify the address may be a stranger's, who must not share the account. */
async function takeOver(ctx: Context, before: UserModel): Promise<UserModel> {
  const own = await endWaysIn(ctx, before);
  const fields = await verifiedFields(ctx, own, null);
  const after = await change(ctx, own, { ...fields, passwordHash: null });
  await record(ctx, EmailVerified, { target: after, before, after, data: after.present(ctx.ids) });
  await endAccess(ctx, after);
  return after;
}

/** One account for an identity, and one identity of a provider for an account: the database decides. */
export async function linkTo(
  ctx: Context,
  { id: provider, name: providerName }: OAuthClient,
  { issuer, subject, email }: Redeemed,
  user: UserModel,
): Promise<UserIdentityModel> {
  const identity = await UserIdentityModel.query(ctx.db)
    .insert({ userId: user.id, provider, issuer, subject, email, createdAt: ctx.now, lastUsedAt: null })
    .returning('*');
  await recordSecurityEvent(ctx, 'identity_linked', { userId: user.id, details: { provider } });
  const data = { userId: ctx.ids.encode('usr', user.id), email: user.email, provider, providerName };
  await record(ctx, IdentityLinked, { target: user, data });
  return identity;
}

export function activeUser(user: UserModel): UserModel {
  if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
  return user;
}
