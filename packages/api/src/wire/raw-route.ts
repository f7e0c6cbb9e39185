import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Context, OrganizationContext, UserContext } from '../context.ts';
import type { ProcedureMeta, Proof, SelfOr } from '../contract/meta.ts';
import type { OrganizationPermission } from '../contract/permissions.ts';
import { responseDrained } from './connection.ts';

/**
 * An operation that is more than a JSON answer to a JSON body: a download, an upload, a stream, a provider's webhook.
 * It is declared, served, documented and checked like a procedure; only the body and the answer are its own.
 */
export interface RawRoute {
  /** As a procedure's: in the document, the SDK, metrics and logs. */
  name: string;
  meta: ProcedureMeta;
  /** The schema of path and query. A body is left to `serve`, unread. */
  input: z.ZodType;
  /** Leaves out parameters that are not declared: who sends them is not our client. */
  ignoresUnknownQuery?: true;
  answer: RawAnswer;
  /** Of a request that its sender has signed. */
  signed?: SignedBody;
  serve(ctx: Context, input: unknown, exchange: RawExchange): Promise<void>;
}

export interface SignedBody {
  limitBytes: number;
  /** Throws for a forged signature. False: it cannot be judged yet, so the request pays as an anonymous call does. */
  verify(ctx: Context, req: IncomingMessage, body: Buffer): Promise<boolean>;
}

export interface RawAnswer {
  type: string;
  /** Further types of files that the input can ask for. */
  alternatives?: readonly string[];
  /** The schema of the whole body; of each line of `application/x-ndjson`. */
  schema: z.ZodType;
  /** The name under which a browser saves it. */
  fileName?: string;
  /** Whether HEAD is served as GET, without the body: it costs little, and says whether there is something. */
  servesHead?: true;
  /** Where a 302 leads to, if it may answer one. */
  redirects?: string;
}

export interface RawExchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** Makes sure that the caller had access less than a second ago. Throws otherwise. */
  revalidate(): Promise<void>;
}

type Declared<Meta, Ctx, Input extends z.ZodType> = Pick<RawRoute, 'name' | 'answer' | 'ignoresUnknownQuery'> & {
  meta: ProcedureMeta & Meta;
  input: Input;
  serve(ctx: Ctx, input: z.output<Input>, exchange: RawExchange): Promise<void>;
};

/** Declares a raw route. Its access decides what `serve` gets, as for a procedure. */
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: OrganizationPermission }, OrganizationContext, Input>,
): RawRoute;
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: 'user' | SelfOr }, UserContext, Input>,
): RawRoute;
export function rawRoute<Input extends z.ZodType>(
  declared: Declared<{ access: 'public' | Proof }, Context, Input>,
): RawRoute;
export function rawRoute(declared: Declared<object, never, z.ZodType>): RawRoute {
  // `serveRaw` guarantees both before it serves: `admit` the context, the schema the input. No raw answer is stored for
  // a repeated request.
  return { ...declared, meta: { ...declared.meta, idempotency: false } } as RawRoute;
}

/** What a signature proves, and whether it does already. */
interface Judged<Proof> {
  isProven: boolean;
  proof: Proof;
}

interface SignedRoute<Proof> {
  name: string;
  meta: Omit<ProcedureMeta, 'access' | 'idempotency'>;
  answer: RawAnswer;
  limitBytes: number;
  /** Gets the bytes as they came. Throws an `ApiError` for a forged signature. */
  verify(ctx: Context, body: Buffer, headers: IncomingHttpHeaders): Promise<Judged<Proof>>;
  serve(ctx: Context, proof: Proof, exchange: RawExchange): Promise<void>;
}

/** Declares a raw route for requests that their sender has signed: `serve` gets what the signature proves. */
export function signedRoute<Proof>({ name, meta, answer, limitBytes, verify, serve }: SignedRoute<Proof>): RawRoute {
  const proofs = new WeakMap<IncomingMessage, Proof>();
  return {
    name,
    meta: { ...meta, access: 'proof:signature', idempotency: false },
    input: z.strictObject({}),
    answer,
    signed: {
      limitBytes,
      async verify(ctx, req, body) {
        const { isProven, proof } = await verify(ctx, body, req.headers);
        proofs.set(req, proof);
        return isProven;
      },
    },
    serve: (ctx, _, exchange) => serve(ctx, proofs.get(exchange.req)!, exchange), // `verify` comes first
  };
}

export function sendJson(res: ServerResponse, body: unknown): void {
  res.end(JSON.stringify(body));
}

/** How much is written at once: a line is never split, and can be longer. */
const CHUNK_BYTES = 64 * 1024;

/** Answers NDJSON, under the rules of `sendChunks`. */
export function sendLines(exchange: RawExchange, batches: AsyncIterable<readonly unknown[]>): Promise<void> {
  return sendChunks(exchange, linesOf(batches));
}

/**
 * Answers what is made as fast as its reader reads. The caller is checked between making a chunk and sending it. A
 * reader that takes nothing for 5 s is dropped; what is made ends with its reader.
 */
export async function sendChunks(
  { res, revalidate }: RawExchange,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  for await (const chunk of chunks) {
    await revalidate();
    if (res.destroyed) return;
    res.write(chunk);
    if (!(await responseDrained(res))) return;
  }
  if (!res.destroyed) res.end();
}

async function* linesOf(batches: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield* chunksOf(batch);
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
