import { type AnyRouter, getTRPCErrorFromUnknown, type TRPCError } from '@trpc/server';
import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';

export interface Invocation {
  /** The procedure's name. */
  path: string;
  type: 'query' | 'mutation';
  ctx: Context;
  getRawInput: () => Promise<unknown>;
  signal: AbortSignal;
  batchIndex: number;
}

type Opts = Invocation & { input: unknown };
type Changed = Partial<Pick<Opts, 'ctx' | 'input' | 'getRawInput'>>;
type Outcome = { ok: true; data: unknown } | { ok: false; error: TRPCError };
type Middleware = (
  opts: Opts & { meta: ProcedureMeta; next: (changed?: Changed) => Promise<Outcome> },
) => Promise<Outcome>;

/** What tRPC 11 keeps of a built procedure: the guard, the validators and the resolver, in this order. */
interface Built {
  type: string;
  meta: ProcedureMeta;
  middlewares: Middleware[];
}

/**
 * Calls a procedure as tRPC's own `callTRPCProcedure` does. tRPC's copies its options about fifteen times per call, by
 * spreads compiled to property descriptors, which costs more than the whole request apart from the database.
 */
export async function invoke(router: AnyRouter, invocation: Invocation): Promise<unknown> {
  const procedure = (router._def.procedures as Record<string, { _def: Built }>)[invocation.path]?._def;
  if (procedure?.type !== invocation.type) throw new ApiError('operation_not_found');
  const outcome = await run(procedure, 0, { ...invocation, input: undefined });
  if (!outcome.ok) throw outcome.error;
  return outcome.data;
}

async function run(procedure: Built, at: number, opts: Opts): Promise<Outcome> {
  const next = (changed?: Changed) => run(procedure, at + 1, changed ? { ...opts, ...changed } : opts);
  try {
    return await procedure.middlewares[at]!({ ...opts, meta: procedure.meta, next });
  } catch (error) {
    return { ok: false, error: getTRPCErrorFromUnknown(error) };
  }
}
