import { execute, type Statement } from '@rentapi/platform/database';
import { networkOf } from '@rentapi/platform/ip';
import { emailKey } from '@rentapi/platform/mail-address';
import { mac } from '@rentapi/platform/secrets';
import { z } from 'zod';
import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { job } from '../../../jobs/job.ts';
import { SecurityEventModel } from '../../security-events/model.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { lockUser } from '../../users/staff.ts';
import { AccountLocked, AccountUnlocked } from '../events.ts';
import { VerificationTokenModel } from '../model.ts';
import type { Comparison } from '../passwords.ts';
import { onBehalfOf, Requester, requesterOf } from '../requester.ts';
import { NETWORK_KNOWN_MS } from './known-sources.ts';
import { redeemMailedToken } from './mailed-token.ts';

/** A password, and the account whose it should be. */
export interface Claim {
  email: string;
  /** Finds no user for an address without an account. It is called when it is the attempt's turn. */
  find: () => Promise<UserModel | undefined>;
  password: string;
}

interface Attempt {
  /** Its number in the bucket. */
  failures: number;
  source: Buffer;
}

/** For all networks that the account did not sign in from lately: they share one bucket, and cannot lock the others. */
const OTHERS = Buffer.alloc(0);
const MAX_FAILURES = 1_000_000;
/** No user has this id: the index is searched as for one that exists. */
const NO_USER = 0;

/**
 * The user, if the password is right. The only place where a password is compared: each comparison that is answered was
 * reserved before in the bucket of the address and source, so that concurrent guesses are counted exactly. A locked
 * bucket answers as a wrong password does, at the same cost, and so does an address without an account.
 */
export async function findByPassword(ctx: Context, claim: Claim): Promise<UserModel | null> {
  if (ctx.db.isTransaction) throw new Error('an attempt must be committed before its password is compared');
  const turn = `${emailKey(claim.email)} ${networkOf(ctx.request.ip)}`;
  return ctx.ports.passwords.inTurn(turn, async () => {
    const user = (await claim.find()) ?? null;
    return (await isPasswordOf(ctx, user, claim)) ? user : null;
  });
}

async function isPasswordOf(ctx: Context, user: UserModel | null, { email, password }: Claim): Promise<boolean> {
  const limit = ctx.ports.env.ACCOUNT_LOCKOUT_THRESHOLD;
  const [address] = hashes(ctx, emailKey(email));
  const [source] = hashes(ctx, `${emailKey(email)} ${networkOf(ctx.request.ip)}`);
  const reserve = () => reserveAttempt(ctx, { address, source, user });
  const reserved = await reserve();
  let comparison: Comparison;
  try {
    comparison = await ctx.ports.passwords.compare(password, user?.passwordHash ?? null);
  } catch (error) {
    await giveBack(ctx, address, reserved);
    throw error;
  }
  // In another process, a right password may have ended the lock meanwhile: many may log in at once.
  const attempt = reserved.failures > limit ? await reserve() : reserved;
  if (attempt.failures > limit) return false;
  if (user && comparison.right) {
    await execute(ctx.db, END_BUCKET, [address, attempt.source]);
    return comparison.outdated ? renewHash(ctx, user, password) : true;
  }
  await recordSecurityEvent(ctx, 'login_failed', { userId: user?.id ?? null, details: { method: 'password' } });
  if (attempt.failures === limit) await lockLater(ctx, email);
  return false;
}

/**
 * Replaces a hash of an earlier pepper or cost. `user` gets what is stored then: the new hash, or what another login or
 * a change of the password has stored meanwhile, which the password must match too.
 */
async function renewHash(ctx: Context, user: UserModel, password: string): Promise<boolean> {
  const { id, passwordHash: outdated } = user;
  const passwordHash = await ctx.ports.passwords.hash(password);
  const renewed = await UserModel.query(ctx.db).where({ id, passwordHash: outdated }).patch({ passwordHash });
  if (renewed > 0) {
    user.passwordHash = passwordHash;
    return true;
  }
  user.passwordHash = (await UserModel.query(ctx.db).findById(id).select('passwordHash'))?.passwordHash ?? null;
  return (await ctx.ports.passwords.compare(password, user.passwordHash)).right;
}

/** The current hash first, then those of earlier secrets. */
function hashes(ctx: Context, text: string): [Buffer, ...Buffer[]] {
  const [current, ...old] = ctx.ports.keyring.keys('rentapi/lockout').map((key) => mac(key, text));
  return [current!, ...old];
}

/** One more attempt; the one that reaches the limit locks the bucket for the whole time from then on. */
async function reserveAttempt(
  ctx: Context,
  { address, source, user }: { address: Buffer; source: Buffer; user: UserModel | null },
): Promise<Attempt> {
  const { ACCOUNT_LOCKOUT_THRESHOLD: limit, ACCOUNT_LOCKOUT_DURATION_MINUTES: minutes } = ctx.ports.env;
  const network = networkOf(ctx.request.ip);
  const since = new Date(ctx.now.getTime() - NETWORK_KNOWN_MS);
  const resetsAt = new Date(ctx.now.getTime() + minutes * 60_000);
  const values = [address, user?.id ?? NO_USER, network, since, source, OTHERS, resetsAt, ctx.now, limit];
  const [attempt] = await execute<Attempt>(ctx.db, RESERVE, values);
  return attempt!;
}

const RESERVE: Statement = {
  name: 'reserve_attempt',
  text: `
    insert into sign_in_attempts as bucket (address, source, failures, resets_at)
    select $1, case when exists (
        select from sign_in_sources where user_id = $2 and network = $3 and used_at > $4
      ) then $5::bytea else $6::bytea end, 1, $7::timestamptz
    on conflict (address, source) do update set
      failures = case when bucket.resets_at <= $8 then 1 else least(bucket.failures + 1, ${MAX_FAILURES}) end,
      resets_at = case when bucket.resets_at <= $8 or bucket.failures + 1 = $9 then excluded.resets_at
                       else bucket.resets_at end
    returning failures, source`,
};

/** Without a name: a plan for the table while it is empty would search all of it when it is full. */
const END_BUCKET: Statement = { text: 'delete from sign_in_attempts where address = $1 and source = $2' };

/** Nothing was compared. */
async function giveBack(ctx: Context, address: Buffer, { source }: Attempt): Promise<void> {
  await ctx.db('sign_in_attempts').where({ address, source }).where('failures', '>', 0).decrement('failures', 1);
}

/** For any address, so that the answer to the last attempt costs the same with and without an account. */
async function lockLater(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, (ctx) => enqueue(ctx, noticeLockout, { email, requester: requesterOf(ctx) }));
}

export const noticeLockout = job({
  name: 'auth.notice_lockout',
  queue: 'emails',
  data: z.object({ email: z.string(), requester: Requester }),
  async run(ctx, { email, requester }) {
    await transaction(onBehalfOf(ctx, requester), async (ctx) => {
      const user = await UserModel.query(ctx.db)
        .findOne({ emailKey: emailKey(email) })
        .forShare();
      if (!user) return;
      const seen = { userId: user.id, kind: 'account_locked', createdAt: ctx.now } as const;
      if (await SecurityEventModel.query(ctx.db).findOne(seen)) return; // a job may run twice
      await recordSecurityEvent(ctx, 'account_locked', { userId: user.id });
      const { ip } = requester;
      await record(ctx, AccountLocked, { target: user, data: { ...user.present(ctx.ids), ip } });
    });
  },
});

/** Every bucket of an address. */
export async function endLockout(ctx: Context, email: string): Promise<void> {
  await ctx
    .db('sign_in_attempts')
    .whereIn('address', hashes(ctx, emailKey(email)))
    .delete();
}

/** For an administrator who knows that the owner, and not an attacker, is locked out. */
export async function unlockUser(ctx: UserContext, userId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await lockUser(ctx, userId, 'system:manage');
    await unlock(ctx, user, 'account_unlocked');
  });
}

/** For the owner of the mailbox, with the link of the mail about the lockout: guessers do not get it. */
export async function unlockByLink(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { userId } = await redeemMailedToken(ctx, 'unlock', token);
    const user = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    if (user.status !== 'ACTIVE') throw new ApiError('invalid_token');
    await unlock(ctx, user, 'account_unlocked_by_link');
  });
}

/** Links of other lockouts end with it: each gives guessers five more tries. */
async function unlock(
  ctx: Context,
  user: UserModel,
  kind: 'account_unlocked' | 'account_unlocked_by_link',
): Promise<void> {
  await VerificationTokenModel.query(ctx.db).delete().where({ userId: user.id, purpose: 'unlock' });
  await endLockout(ctx, user.email);
  await recordSecurityEvent(ctx, kind, { userId: user.id });
  await record(ctx, AccountUnlocked, { target: user, data: user.present(ctx.ids) });
}
