import { createHash, randomUUID } from 'node:crypto';
import { execute, isDivisionByZero, type Statement } from '@rentapi/platform/database';
import { mac, sameBytes, seal, unseal } from '@rentapi/platform/secrets';
import type { Context } from '../context.ts';
import { ApiError, type ErrorCode, type FieldError } from '../contract/errors.ts';
import { executeAtEnd, transaction } from '../data/transaction.ts';

/** The answer to a first request: stored sealed, and returned to every repeat. */
type Answer =
  | { ok: true; data: unknown; etag?: string }
  | { ok: false; code: ErrorCode; detail: string; errors?: FieldError[] };

interface Claim {
  inputMac: Buffer;
  claimedAt: Date;
  answer: Buffer | null;
}

/** As long as an unreleased claim blocks repeats. */
const RELEASE_EVERY_MS = 500;
const RELEASE_TRIES = 120;

const VALID_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Runs `work` once for each key, for any number of concurrent requests (draft-ietf-httpapi-idempotency-key-header). A
 * key belongs to a caller, organization and procedure. The answer is written in the transaction of the effect, so both
 * exist or neither; where a procedure commits itself, a repeat continues it. A claim whose process died is free after
 * 60 s. An error after which the client should try again is not stored: see `isFinal`.
 */
export async function idempotently(
  ctx: Context,
  { procedure, commitsItself = false }: { procedure: string; commitsItself?: boolean | undefined },
  input: unknown,
  work: (ctx: Context) => Promise<unknown>,
): Promise<unknown> {
  const rawKey = ctx.request.idempotencyKey!;
  if (!VALID_KEY.test(rawKey)) throw new ApiError('invalid_idempotency_key');
  if (ctx.request.batched) throw new ApiError('idempotency_key_in_batch');
  const scope = [actorName(ctx), ctx.organization?.id ?? 0, procedure, rawKey].join('\n');
  const keyHash = createHash('sha256').update(scope).digest();
  const token = randomUUID();
  const macs = inputMacs(ctx, input);
  const settled = await claim(ctx, keyHash, macs, token);
  if (settled) {
    const answer = openAnswer(ctx, scope, settled);
    ctx.responseHeaders['Idempotency-Replayed'] = 'true';
    if (!answer.ok)
      throw new ApiError(answer.code, { detail: answer.detail, ...(answer.errors && { errors: answer.errors }) });
    if (answer.etag) ctx.responseHeaders['ETag'] = answer.etag;
    return answer.data;
  }
  try {
    const run = <T>(work: (ctx: Context) => Promise<T>) => (commitsItself ? work(ctx) : transaction(ctx, work));
    return await run(async (ctx) => {
      const data = await work(ctx);
      const etag = ctx.responseHeaders['ETag'];
      const answer: Answer = { ok: true, data, ...(etag && { etag }) };
      const sealed = sealAnswer(ctx, scope, answer);
      if (ctx.db.isTransaction) await executeAtEnd(ctx.db, SETTLE_OWN, [keyHash, macs[0]!, token, sealed]);
      else await execute(ctx.db, SETTLE, [keyHash, token, sealed]);
      return data;
    });
  } catch (failure) {
    // The claim expired and another request took it over: its effect counts, and this one was rolled back.
    const takenOver = isDivisionByZero(failure);
    const error = takenOver ? new ApiError('idempotency_in_progress', { retryAfterS: 1 }) : failure;
    if (isFinal(error)) {
      const { errorCode: code, detail, errors } = error;
      const sealed = sealAnswer(ctx, scope, { ok: false, code, detail, ...(errors && { errors }) });
      await execute(ctx.db, SETTLE, [keyHash, token, sealed]);
    } else {
      await release(ctx, keyHash, token);
    }
    throw error;
  }
}

/**
 * Whether repeats get this error, too. Bad input, a failed precondition and a limit changed nothing, and the client
 * should send the call again: corrected, with the new `ETag`, or later. So preconditions are no part of the input's
 * fingerprint.
 */
function isFinal(error: unknown): error is ApiError {
  if (!(error instanceof ApiError) || error.retryAfterS !== undefined) return false;
  return error.status < 500 && error.status !== 412 && error.errorCode !== 'invalid_input';
}

const CLAIM: Statement = {
  name: 'claim_idempotency_key',
  text: `
    insert into idempotency_keys (key_hash, input_mac, token, claimed_at) values ($1, $2, $3, now())
    on conflict (key_hash) do update set input_mac = excluded.input_mac, token = excluded.token, claimed_at = now(), answer = null
    where idempotency_keys.claimed_at < now() - interval '24 hours'
       or (idempotency_keys.answer is null and idempotency_keys.claimed_at < now() - interval '60 seconds')
    returning true as claimed`,
};

/** Without a name: the table may have been empty when a plan was made for it. */
const SETTLE: Statement = { text: 'update idempotency_keys set answer = $3 where key_hash = $1 and token = $2' };

/**
 * It fails for a claim that another request took over, so that the commit behind it is a rollback. An insert finds its
 * conflict by the unique index whatever the table holds, so it can be planned once. It adds only a row that is gone.
 */
const SETTLE_OWN: Statement = {
  name: 'settle_idempotency_key',
  text: `
    with settled as (
      insert into idempotency_keys as claim (key_hash, input_mac, token, claimed_at, answer)
      values ($1, $2, $3, now(), $4)
      on conflict (key_hash) do update set answer = excluded.answer where claim.token = excluded.token
      returning true
    )
    select 1 / count(*) from settled`,
};

/**
 * Null if this request has to do the work; else the sealed answer of the request that did it. Throws while that request
 * still runs.
 */
async function claim(ctx: Context, keyHash: Buffer, inputMacs: Buffer[], token: string): Promise<Buffer | null> {
  const claimed = await execute(ctx.db, CLAIM, [keyHash, inputMacs[0]!, token]);
  if (claimed.length === 1) return null;
  const found: Claim | undefined = await ctx
    .db('idempotency_keys')
    .where({ keyHash })
    .first('inputMac', 'claimedAt', 'answer');
  // Its first request failed at this moment
  if (!found) throw new ApiError('idempotency_in_progress', { retryAfterS: 1 });
  if (!inputMacs.some((inputMac) => sameBytes(found.inputMac, inputMac))) throw new ApiError('idempotency_key_reused');
  if (!found.answer) throw new ApiError('idempotency_in_progress', { retryAfterS: 1 });
  return found.answer;
}

/**
 * Releases the key, so that the repeat can succeed. If the database failed, it retries until the database is back:
 * otherwise a repeat would get `idempotency_in_progress` for a minute. A claim with an answer stays: its commit
 * succeeded though the reply was lost, and without the answer a repeat would do the work again.
 */
async function release(ctx: Context, keyHash: Buffer, token: string, tries = 0): Promise<void> {
  try {
    await ctx.ports.database('idempotency_keys').where({ keyHash, token }).whereNull('answer').delete();
  } catch {
    if (tries < RELEASE_TRIES) setTimeout(() => void release(ctx, keyHash, token, tries + 1), RELEASE_EVERY_MS).unref();
  }
}

function sealAnswer(ctx: Context, scope: string, answer: Answer): Buffer {
  return seal(answerKey(ctx, scope), JSON.stringify(answer), 'idempotency');
}

/**
 * Bodies contain passwords: a bare hash of one could be guessed offline, an HMAC cannot. The current key comes first,
 * then each old one: the first request may have come before SECRET_KEY was rotated.
 */
function inputMacs(ctx: Context, input: unknown): Buffer[] {
  const text = canonical(input);
  return ctx.ports.keyring.keys('rentapi/idempotency/input').map((key) => mac(key, text));
}

/** The key depends on the raw idempotency key, which is not stored: the table alone decrypts nothing. */
function answerKey(ctx: Context, scope: string): Buffer {
  return mac(ctx.ports.keyring.key('rentapi/idempotency/answer'), scope);
}

function openAnswer(ctx: Context, scope: string, sealed: Buffer): Answer {
  for (const key of ctx.ports.keyring.keys('rentapi/idempotency/answer')) {
    const opened = unseal(mac(key, scope), sealed, 'idempotency');
    if (opened !== null) return JSON.parse(opened);
  }
  throw new Error('a kept answer does not open under any SECRET_KEY');
}

function actorName(ctx: Context): string {
  const { actor } = ctx;
  if (!actor) throw new Error('idempotency keys belong to a caller');
  return actor.kind === 'user' ? `user ${actor.user.id}` : `key ${actor.key.id}`;
}

/** JSON with sorted keys, so that the order of fields does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
