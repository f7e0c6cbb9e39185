import { initTRPC, TRPCError } from '@trpc/server';
import type { ActorContext, Context, OrganizationContext, UserContext } from './context.ts';
import { ApiError, TRPC_CODES } from './contract/errors.ts';
import type { Access, ProcedureMeta, Proof, SelfOr } from './contract/meta.ts';
import type { OrganizationPermission, PlatformPermission } from './contract/permissions.ts';
import { toProblem } from './contract/problem.ts';
import { admit } from './pipeline/admit.ts';
import { publishApiCall } from './pipeline/api-calls.ts';
import { spendingCost } from './pipeline/credits.ts';
import { idempotently } from './pipeline/idempotency.ts';
import { takeDueLimits } from './pipeline/limits.ts';
import { ofBatch, ofOneCall, trackCall } from './pipeline/observe.ts';

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    // Proxies close silent connections, and clients take silence for a dead one.
    sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
    // tRPC's default shape contains the stack. This one contains the same problem that REST answers.
    errorFormatter({ shape, error, ctx }) {
      const problem = toProblem(error, {
        requestId: ctx?.request.requestId ?? '',
        publicUrl: ctx?.ports.env.PUBLIC_URL ?? '',
      });
      return {
        message: problem.detail,
        code: shape.code,
        data: { code: TRPC_CODES[problem.status], httpStatus: problem.status, path: shape.data.path ?? null, problem },
      };
    },
  });

export const router = t.router;

/**
 * Runs before every procedure, in the order of `admit`, and around it where the caller sent an `Idempotency-Key`. `C`
 * is the context that `admit` guarantees for the procedure's access.
 */
function guard<C extends Context>() {
  return t.procedure.use(async ({ ctx: shared, meta, path, type, getRawInput, next }) => {
    if (!meta) throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: `${path} is declared without meta` });
    const ctx = shared.connection ? ofOneCall(shared) : ofBatch(shared);
    const watched = trackCall(ctx, path, meta);
    // A WebSocket's calls share one context, but each has its own time.
    const now = ctx.connection ? ctx.ports.clock.now() : ctx.now;
    try {
      const admitted = await admit(ctx.connection ? { ...ctx, now } : ctx, meta, getRawInput);
      const run = (ctx: Context) => spendingCost(ctx, meta.cost, (ctx) => next({ ctx: ctx as C }));
      const repeatable =
        type === 'mutation' && admitted.actor && meta.idempotency !== false && ctx.request.idempotencyKey !== undefined;
      const result = repeatable ? await once(admitted, { path, meta }, getRawInput, run) : await run(admitted);
      if (admitted.dueLimits) await takeDueLimits(admitted);
      const ended = result.ok ? watched.succeeded(meta.rest?.status ?? 200) : watched.failed(result.error);
      publishApiCall(admitted, path, ended);
      return result;
    } catch (error) {
      watched.failed(error); // not admitted, or refused for its idempotency key
      throw error;
    }
  });
}

type Outcome = { ok: true; data: unknown } | { ok: false; error: TRPCError };

/** Runs the procedure at most once for the caller's `Idempotency-Key`. A replay returns the stored, parsed output. */
async function once<Result extends Outcome>(
  ctx: Context,
  { path, meta }: { path: string; meta: ProcedureMeta },
  readInput: () => Promise<unknown>,
  run: (ctx: Context) => Promise<Result>,
): Promise<Result> {
  const data = await idempotently(
    ctx,
    { procedure: path, commitsItself: meta.commitsItself },
    await readInput(),
    async (ctx) => {
      const result: Outcome = await run(ctx);
      if (!result.ok) throw result.error;
      return result.data;
    },
  );
  // tRPC marks results with a brand that exists in types only.
  return { ok: true, data } as unknown as Result;
}

/**
 * TanStack Query's infinite queries send `direction` with every page of a list. It is taken off here, so that it is in
 * no schema; REST refuses it before, as a parameter that is not declared.
 */
const readsForward = t.middleware(({ getRawInput, next }) =>
  next({
    async getRawInput() {
      const input = await getRawInput();
      if (typeof input !== 'object' || input === null || !('direction' in input)) return input;
      const { direction, ...rest } = input;
      if (direction === 'forward' || direction === undefined) return rest;
      const message =
        "must be 'forward': a list has no cursor of the page before, so keep the pages that you have read";
      throw new ApiError('invalid_input', { errors: [{ path: 'direction', message }] });
    },
  }),
);

const open = guard<Context>();
const openList = open.use(readsForward);
const forUser = guard<UserContext>();
const forActor = guard<ActorContext>();
const forOrganization = guard<OrganizationContext>();

/**
 * Begins a procedure. Its access is data, and decides the type of the service's context: `ctx.actor` is there for
 * `user` and `userOrKey`, and `ctx.organization` for an organization permission.
 */
export function procedure(meta: ProcedureMeta & { access: 'public' | Proof }): typeof open;
export function procedure(meta: ProcedureMeta & { access: 'user' | PlatformPermission | SelfOr }): typeof forUser;
export function procedure(meta: ProcedureMeta & { access: 'userOrKey' }): typeof forActor;
export function procedure(meta: ProcedureMeta & { access: OrganizationPermission }): typeof forOrganization;
export function procedure(meta: ProcedureMeta & { access: Access }) {
  // What may refuse a cursor takes one.
  const isList = meta.errors?.includes('invalid_cursor');
  return (isList ? openList : open).meta(meta);
}
