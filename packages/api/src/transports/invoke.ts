import { type AnyRouter, getTRPCErrorFromUnknown, TRPCError } from '@trpc/server';
import type { core } from 'zod';
import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { createOutputCheck, type OutputCheck } from './output-check.ts';

export interface Invocation {
  /** The procedure's name. */
  path: string;
  type: 'query' | 'mutation';
  ctx: Context;
  getRawInput: () => Promise<unknown>;
  /** Aborts when the client has disconnected. Made for those who ask: most procedures do not. */
  getSignal: () => AbortSignal;
  batchIndex: number;
}

/** Calls a query or mutation by its name. Throws what it throws. */
export type Invoke = (invocation: Invocation) => Promise<unknown>;

type Outcome = { ok: true; data: unknown } | { ok: false; error: TRPCError };
type Next = (changed?: { ctx?: Context; getRawInput?: () => Promise<unknown> }) => Promise<Outcome>;
type Middleware = (opts: Opts) => Promise<Outcome>;

interface Schema extends core.$ZodType {
  parse(value: unknown): unknown;
}

/** What tRPC 11 keeps of a built procedure. Validators are among its middlewares, and marked. */
interface Built {
  type: string;
  meta: ProcedureMeta;
  middlewares: (Middleware & { _type?: 'input' | 'output' | 'errors' })[];
  inputs: Schema[];
  output?: Schema;
}

/** A procedure in the order of its steps. */
interface Steps {
  type: string;
  meta: ProcedureMeta;
  /** The guard first; they run before the input is read. */
  middlewares: Middleware[];
  input: Schema | undefined;
  output: OutputCheck | undefined;
  resolve: Middleware;
}

/** What a middleware and the resolver are given. */
class Opts {
  readonly path: string;
  readonly type: 'query' | 'mutation';
  readonly batchIndex: number;
  readonly meta: ProcedureMeta;
  readonly ctx: Context;
  readonly getRawInput: () => Promise<unknown>;
  readonly input: unknown;
  readonly next: Next;
  readonly #getSignal: () => AbortSignal;

  constructor(
    { path, type, batchIndex, getSignal }: Invocation,
    of: { meta: ProcedureMeta; ctx: Context; getRawInput: () => Promise<unknown>; input: unknown; next: Next },
  ) {
    this.path = path;
    this.type = type;
    this.batchIndex = batchIndex;
    this.meta = of.meta;
    this.ctx = of.ctx;
    this.getRawInput = of.getRawInput;
    this.input = of.input;
    this.next = of.next;
    this.#getSignal = getSignal;
  }

  get signal(): AbortSignal {
    return this.#getSignal();
  }
}

/**
 * Calls procedures as tRPC's own `callTRPCProcedure` does. tRPC's copies its options about fifteen times per call, by
 * spreads compiled to property descriptors, which costs more than the whole request apart from the database. Throws at
 * start for a procedure of another shape than tRPC 11 builds of ours.
 */
export function createInvoke(router: AnyRouter): Invoke {
  const built = Object.entries(router._def.procedures as Record<string, { _def: Built }>);
  const procedures = new Map(built.map(([name, { _def }]) => [name, stepsOf(name, _def)]));
  return async (invocation) => {
    const procedure = procedures.get(invocation.path);
    if (procedure?.type !== invocation.type) throw new ApiError('operation_not_found');
    const outcome = await run(procedure, 0, invocation, invocation.ctx, invocation.getRawInput);
    if (!outcome.ok) throw outcome.error;
    return outcome.data;
  };
}

/** Middlewares, the validator of the input, that of the output, the resolver: anything else would be called wrongly. */
function stepsOf(name: string, { type, meta, middlewares, inputs, output }: Built): Steps {
  const resolve = middlewares.at(-1);
  const first = middlewares.findIndex(({ _type }) => _type !== undefined);
  const own = middlewares.slice(0, first < 0 ? -1 : first);
  const expected = [
    ...own.map(() => undefined),
    ...inputs.map(() => 'input'),
    ...(output ? ['output'] : []),
    undefined,
  ];
  const found = middlewares.map(({ _type }) => _type);
  const isAsBuilt = own.length > 0 && inputs.length <= 1 && found.join() === expected.join();
  if (!resolve || !isAsBuilt) throw new Error(`${name} is not built of a guard, an input, an output and a resolver`);
  return { type, meta, middlewares: own, input: inputs[0], output: output && createOutputCheck(output), resolve };
}

async function run(
  procedure: Steps,
  at: number,
  invocation: Invocation,
  ctx: Context,
  getRawInput: () => Promise<unknown>,
): Promise<Outcome> {
  const { meta } = procedure;
  const middleware = procedure.middlewares[at];
  try {
    if (!middleware) return await resolve(procedure, invocation, ctx, getRawInput);
    const next: Next = (changed) =>
      run(procedure, at + 1, invocation, changed?.ctx ?? ctx, changed?.getRawInput ?? getRawInput);
    return await middleware(new Opts(invocation, { meta, ctx, getRawInput, input: undefined, next }));
  } catch (error) {
    return { ok: false, error: getTRPCErrorFromUnknown(error) };
  }
}

async function resolve(
  procedure: Steps,
  invocation: Invocation,
  ctx: Context,
  getRawInput: () => Promise<unknown>,
): Promise<Outcome> {
  const { meta, output } = procedure;
  const input = procedure.input && readInput(procedure.input, await getRawInput());
  const outcome = await procedure.resolve(
    new Opts(invocation, { meta, ctx, getRawInput, input, next: nothingFollows }),
  );
  return outcome.ok && output ? { ok: true, data: checked(output, outcome.data) } : outcome;
}

function readInput(schema: Schema, raw: unknown): unknown {
  try {
    return schema.parse(raw);
  } catch (cause) {
    throw new TRPCError({ code: 'BAD_REQUEST', cause });
  }
}

function checked(check: OutputCheck, data: unknown): unknown {
  try {
    return check(data);
  } catch (cause) {
    throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Output validation failed', cause });
  }
}

async function nothingFollows(): Promise<Outcome> {
  throw new Error('a resolver has no next step');
}
