import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Context, OrganizationContext } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta, Proof } from '../contract/meta.ts';
import type { OrganizationPermission } from '../contract/permissions.ts';
import { admit, assertAccess } from '../pipeline/admit.ts';
import { announceCall } from '../pipeline/api-calls.ts';
import { watchCall } from '../pipeline/observe.ts';
import { entryOfCall } from '../slices/realtime/service.ts';
import { type Standing, takeStanding } from '../slices/realtime/standing.ts';

/**
 * What is more than a JSON answer to a JSON body: a download, an upload, a stream, a provider's webhook. Declared as a
 * procedure is, and served, documented and judged as one; only what is sent and answered is its own.
 */
export interface RawRoute {
  /** As a procedure's: in the document, the SDK, metrics and logs. */
  name: string;
  meta: ProcedureMeta;
  /** What path and query hold. A body is left to `serve`, unread. */
  input: z.ZodType;
  answer: RawAnswer;
  serve(ctx: Context, input: unknown, exchange: Exchange): Promise<void>;
}

export interface RawAnswer {
  type: string;
  /** Of the whole body; of each line of `application/x-ndjson`. */
  schema: z.ZodType;
  /** What a browser saves it as. */
  fileName?: string;
}

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** Makes sure, less than a second ago, that the caller still may. Throws where they may no more. */
  confirm(): Promise<void>;
}

type Declared<Meta, Ctx, Input extends z.ZodType> = Pick<RawRoute, 'name' | 'answer'> & {
  meta: ProcedureMeta & Meta;
  input: Input;
  serve(ctx: Ctx, input: z.output<Input>, exchange: Exchange): Promise<void>;
};

/** Declares one. Its access decides what `serve` is given, as for a procedure. */
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: OrganizationPermission }, OrganizationContext, Input>,
): RawRoute;
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: 'public' | Proof }, Context, Input>,
): RawRoute;
export function rawRoute(declared: Declared<object, never, z.ZodType>): RawRoute {
  // `serveRaw` makes sure of both before it serves: `admit` of the context, the schema of the input. No raw answer is kept for a repeat.
  return { ...declared, meta: { ...declared.meta, idempotency: false } } as RawRoute;
}

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
    held = await hold(admitted, meta, res);
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
async function hold(ctx: Context, meta: ProcedureMeta, res: ServerResponse): Promise<Held> {
  const { organization } = ctx;
  if (!organization) return { confirm: async () => {}, assertNotEnded() {}, release() {} };
  let reason: ApiError | undefined;
  const entry = await entryOfCall(ctx, organization.id);
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

/** Answers NDJSON at the speed of whoever reads it, each batch judged after it was read and before it is told. */
export async function sendLines({ res, confirm }: Exchange, batches: AsyncIterable<readonly unknown[]>): Promise<void> {
  for await (const batch of batches) {
    await confirm();
    if (res.destroyed) return;
    const lines = batch.map((value) => `${JSON.stringify(value)}\n`);
    if (!res.write(lines.join(''))) await drainedOrClosed(res);
  }
  if (!res.destroyed) res.end();
}

function drainedOrClosed(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    if (res.destroyed) return resolve();
    res.on('drain', done).on('close', done);
  });
}
