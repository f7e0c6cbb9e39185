import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Context, OrganizationContext } from '../context.ts';
import type { ProcedureMeta, Proof } from '../contract/meta.ts';
import type { OrganizationPermission } from '../contract/permissions.ts';
import { responseDrained } from './connection.ts';

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
  serve(ctx: Context, input: unknown, exchange: RawExchange): Promise<void>;
}

export interface RawAnswer {
  type: string;
  /** Of the whole body; of each line of `application/x-ndjson`. */
  schema: z.ZodType;
  /** What a browser saves it as. */
  fileName?: string;
}

export interface RawExchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** Makes sure that the caller had its right to the answer less than a second ago. Throws where it has not. */
  revalidate(): Promise<void>;
}

type Declared<Meta, Ctx, Input extends z.ZodType> = Pick<RawRoute, 'name' | 'answer'> & {
  meta: ProcedureMeta & Meta;
  input: Input;
  serve(ctx: Ctx, input: z.output<Input>, exchange: RawExchange): Promise<void>;
};

/** Declares one. Its access decides what `serve` is given, as for a procedure. */
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: OrganizationPermission }, OrganizationContext, Input>,
): RawRoute;
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: 'public' | Proof }, Context, Input>,
): RawRoute;
export function rawRoute(declared: Declared<object, never, z.ZodType>): RawRoute {
  // `serveRaw` makes sure of both before it serves: `admit` of the context, the schema of the input.
  // No raw answer is kept for a repeated request.
  return { ...declared, meta: { ...declared.meta, idempotency: false } } as RawRoute;
}

/** What is written at once: a line is never split, and can be longer. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Answers NDJSON at the speed of its reader. The caller is checked between the reading of a batch and its sending.
 * A reader who takes nothing for 5 s is dropped.
 */
export async function sendLines(
  { res, revalidate }: RawExchange,
  batches: AsyncIterable<readonly unknown[]>,
): Promise<void> {
  for await (const batch of batches) {
    await revalidate();
    for (const chunk of chunksOf(batch)) {
      if (res.destroyed) return;
      res.write(chunk);
      if (!(await responseDrained(res))) return;
    }
  }
  if (!res.destroyed) res.end();
}

function* chunksOf(values: readonly unknown[]): Generator<string> {
  let chunk = '';
  for (const value of values) {
    chunk += `${JSON.stringify(value)}\n`;
    if (chunk.length < CHUNK_BYTES) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk) yield chunk;
}
