import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { type RequestedNames, VerificationTokenModel } from '../model.ts';

type Purpose = VerificationTokenModel['purpose'];

const TTL_MS: Record<Purpose, number> = { email: 24 * 3_600_000, password_reset: 3_600_000 };

/** Made by the job that mails it, so that no event holds one. */
export async function mintMailedToken(
  ctx: Context,
  purpose: Purpose,
  userId: string,
  { registration = null, ttlMs = TTL_MS[purpose] }: { registration?: RequestedNames | null; ttlMs?: number } = {},
): Promise<string> {
  const token = newToken();
  await VerificationTokenModel.query(ctx.db).insert({
    userId: ctx.ids.decode('usr', userId),
    purpose,
    registration,
    tokenHash: tokenHash(token),
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + ttlMs),
  });
  return token;
}

/** Throws `invalid_token` for a token that would not be accepted, and does not consume another. */
export async function findMailedToken(ctx: Context, purpose: Purpose, token: string): Promise<VerificationTokenModel> {
  const found = await VerificationTokenModel.query(ctx.db).findOne({ tokenHash: tokenHash(token), purpose });
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return found;
}

/** Deleting makes it single-use: of two concurrent requests, one finds nothing. */
export async function redeemMailedToken(
  ctx: Context,
  purpose: Purpose,
  token: string,
): Promise<VerificationTokenModel> {
  const [found] = await VerificationTokenModel.query(ctx.db)
    .delete()
    .where({ tokenHash: tokenHash(token), purpose })
    .returning('*');
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return found;
}
