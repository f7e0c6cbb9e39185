import type { ServerResponse } from 'node:http';
import type { Context, OrganizationContext } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { admit, assertAccess } from '../pipeline/admit.ts';
import { announceCall } from '../pipeline/api-calls.ts';
import { liveCaller, type Standing, takeStanding } from '../pipeline/live-caller.ts';
import { watchCall } from '../pipeline/observe.ts';
import type { Exchange, RawAnswer, RawRoute } from '../wire/raw-route.ts';

/** What stands before every procedure, and around it, for a raw route. Throws what is to be answered as a problem. */
export async function serveRaw(
  route: RawRoute,
  ctx: Context,
  input: unknown,
  { req, res }: Pick<Exchange, 'req' | 'res'>,
): Promise<void> {
  const { name, meta, answer } = route;
  const watched = watchCall(ctx, name);
  let admitted: Context | undefined;
  let held: Held | undefined;
  try {
    admitted = await admit(ctx, meta, async () => input);
    watched.admitted(admitted);
    const parsed = route.input.parse(input);
    held = hold(admitted, meta, res);
    setHeaders(res, admitted.reply, answer);
    if (req.method === 'HEAD') res.end();
    else await route.serve(admitted, parsed, { req, res, confirm: held.confirm });
    held.assertNotEnded();
    const { status, durationMs } = watched.succeeded(res.statusCode);
    announceCall(admitted, name, status, durationMs);
  } catch (error) {
    if (!res.headersSent) res.removeHeader('Content-Disposition'); // a problem is no file
    const { status, durationMs } = watched.failed(error);
    if (admitted) announceCall(admitted, name, status, durationMs);
    throw error;
  } finally {
    held?.release();
  }
}

interface Held {
  confirm(): Promise<void>;
  assertNotEnded(): void;
  release(): void;
}

/** A long answer ends, cut off, within a second of its caller's right to it; not with their token, which was good when they asked. */
function hold(ctx: Context, meta: ProcedureMeta, res: ServerResponse): Held {
  const { credential, organization } = ctx;
  if (!credential || !organization) return { confirm: async () => {}, assertNotEnded() {}, release() {} };
  let reason: ApiError | undefined;
  const entry = liveCaller(ctx, credential);
  const again = async (now: Context): Promise<OrganizationContext> => {
    const current = await entry.again(now);
    assertAccess(meta, current.actor, current.organization);
    return current;
  };
  const standing: Standing = takeStanding({ ...entry, again, expiresAt: null }, (why) => {
    reason = why;
    if (res.headersSent) res.destroy();
  });
  return {
    confirm: standing.confirm,
    assertNotEnded() {
      if (reason) throw reason;
    },
    release: standing.close,
  };
}

function setHeaders(res: ServerResponse, reply: Record<string, string>, { type, fileName }: RawAnswer): void {
  for (const name in reply) res.setHeader(name, reply[name]!);
  res.setHeader('Content-Type', `${type}; charset=utf-8`);
  if (fileName !== undefined) res.setHeader('Content-Disposition', `attachment; filename="${fileName}"`);
  res.setHeader('Cache-Control', 'no-store');
}
