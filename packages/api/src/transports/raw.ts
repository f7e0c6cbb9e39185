import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, OrganizationContext } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { admit, assertAccess, userIdIn } from '../pipeline/admit.ts';
import { publishApiCall } from '../pipeline/api-calls.ts';
import { chargeFailedAttempt, enforceLimits } from '../pipeline/limits.ts';
import { authenticatedCaller, type LiveCaller, watchCaller } from '../pipeline/live-caller.ts';
import { trackCall } from '../pipeline/observe.ts';
import { readBody } from '../wire/body.ts';
import type { RawAnswer, RawExchange, RawRoute, SignedBody } from '../wire/raw-route.ts';

/**
 * Admits and tracks a call of a raw route, as the guard does for a procedure. Throws errors that are answered as
 * problems.
 */
export async function serveRaw(
  route: RawRoute,
  ctx: Context,
  input: unknown,
  { req, res }: Pick<RawExchange, 'req' | 'res'>,
): Promise<void> {
  const { name, meta, answer } = route;
  const watched = trackCall(ctx, name, meta);
  let admitted: Context | undefined;
  let held: Held | undefined;
  try {
    admitted = route.signed
      ? await admitSigned(ctx, meta, route.signed, req)
      : await admit(ctx, meta, async () => input);
    const parsed = route.input.parse(input);
    held = hold(admitted, meta, res, userIdIn(input));
    setHeaders(res, admitted.responseHeaders, answer);
    if (req.method === 'HEAD' && !answer.servesHead) res.end();
    else await route.serve(admitted, parsed, { req, res, revalidate: held.revalidate });
    held.assertNotEnded();
    publishApiCall(admitted, name, watched.succeeded(res.statusCode));
  } catch (error) {
    if (!res.headersSent) res.removeHeader('Content-Disposition'); // a problem is no file
    const ended = watched.failed(error);
    if (admitted) publishApiCall(admitted, name, ended);
    throw error;
  } finally {
    held?.release();
  }
}

/**
 * A signature is judged before anything is paid: its sender sends many requests at once from few addresses, also while
 * Redis is away. A forged one pays as every failed attempt does.
 */
async function admitSigned(
  ctx: Context,
  meta: ProcedureMeta,
  { limitBytes, verify }: SignedBody,
  req: IncomingMessage,
): Promise<Context> {
  let isProven: boolean;
  try {
    const body = await readBody(req, { limitBytes, unfinished: ctx.ports.bodies });
    isProven = await verify(ctx, req, body);
  } catch (error) {
    await chargeFailedAttempt(ctx, error, meta);
    throw error;
  }
  if (!isProven) await enforceLimits(ctx, meta, null);
  return ctx;
}

interface Held {
  revalidate(): Promise<void>;
  assertNotEnded(): void;
  release(): void;
}

/**
 * Cuts a long answer off within a second after its caller loses access, but not when the token expires in the meantime.
 */
function hold(ctx: Context, meta: ProcedureMeta, res: ServerResponse, userId: unknown): Held {
  const { credential, organization } = ctx;
  if (!credential || !organization) return { revalidate: async () => {}, assertNotEnded() {}, release() {} };
  let reason: ApiError | undefined;
  const entry = authenticatedCaller(ctx, credential);
  const reload = async (now: Context): Promise<OrganizationContext> => {
    const current = await entry.reload(now);
    assertAccess(ctx, meta, { ...current, userId });
    return current;
  };
  const caller: LiveCaller = watchCaller({ ...entry, reload, expiresAt: null }, (why) => {
    reason = why;
    if (res.headersSent) res.destroy();
  });
  return {
    revalidate: caller.revalidate,
    assertNotEnded() {
      if (reason) throw reason;
    },
    release: caller.close,
  };
}

function setHeaders(res: ServerResponse, reply: Record<string, string>, { type, fileName }: RawAnswer): void {
  for (const name in reply) res.setHeader(name, reply[name]!);
  res.setHeader('Content-Type', /^text\/|json$/.test(type) ? `${type}; charset=utf-8` : type);
  if (fileName !== undefined) res.setHeader('Content-Disposition', `attachment; filename="${fileName}"`);
  res.setHeader('Cache-Control', 'no-store');
}
