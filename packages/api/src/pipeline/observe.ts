import type { ApiRequest, Context, Ports } from '../context.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { toApiError } from '../contract/problem.ts';
import type { KnownCaller } from '../wire/observed.ts';
import { logRefusedCall } from './observe-socket.ts';
import { noteUsage } from './observe-usage.ts';

/** How a call ended. */
interface Ended {
  status: number;
  durationMs: number;
}

/** Follows one call of a procedure from before admission to its end: metrics, span, and the caller for the log. */
export function trackCall(ctx: Context, procedure: string, meta: ProcedureMeta) {
  const { metrics, tracer } = ctx.ports;
  const request = ctx.request.observed;
  const transport = request?.transport ?? 'internal';
  const began = performance.now();
  if (request && meta.probe) request.quiet = true;
  if (transport !== 'socket') request?.procedures.push(procedure); // calls on a socket have no end of their own
  const span = tracer?.start(
    procedure,
    { traceparent: request?.traceparent, tracestate: request?.tracestate },
    {
      'rpc.system': 'trpc',
      'rpc.method': procedure,
      'rentapi.transport': transport,
      'request.id': ctx.request.requestId,
    },
  );

  function end(status: number): Ended {
    const durationMs = performance.now() - began;
    metrics.requests.inc({ procedure, transport, status });
    metrics.durations.observe({ procedure, transport }, durationMs / 1000);
    if (request) request.counted = true;
    if (!meta.probe) noteUsage(ctx, { procedure, status, durationMs });
    span?.setAttribute('http.response.status_code', status);
    span?.end();
    return { status, durationMs };
  }

  return {
    succeeded(status: number): Ended {
      if (ctx.responseHeaders['Idempotency-Replayed']) metrics.replays.inc({ procedure });
      return end(status);
    },
    failed(error: unknown): Ended {
      const known = toApiError(error);
      const { status, errorCode } = known;
      if (transport === 'socket') logRefusedCall(ctx, error, procedure);
      else request?.errors.push(known);
      if (meta.countRefusals && status < 500) metrics.refusals.inc({ procedure, code: errorCode });
      span?.setAttribute('error.type', errorCode);
      if (status >= 500) {
        span?.setStatus({ code: SPAN_FAILED });
        if (request && meta.probe && errorCode === 'unavailable') request.expected = true;
        else report(ctx, error, procedure);
      }
      return end(status);
    },
  };
}

/** `SpanStatusCode.ERROR`; its package is loaded only where traces are wanted. */
export const SPAN_FAILED = 2;

/** Who calls, as soon as it is known: the line of a refused call names its caller too. */
export function noteCaller({ request }: Context, caller: KnownCaller): void {
  Object.assign(request.caller, caller);
  if (request.observed && request.observed.caller !== request.caller) Object.assign(request.observed.caller, caller);
}

/** Calls on a socket share its request, but each may have a caller or an organization of its own. */
export function ofOneCall(ctx: Context): Context {
  const { observed } = ctx.request;
  if (!observed) return ctx;
  const caller = { ...observed.caller };
  return { ...ctx, request: { ...ctx.request, observed: { ...observed, caller }, caller } };
}

/** Each call of a batch may name an organization of its own; their request has one line. */
export function ofBatch(ctx: Context): Context {
  return ctx.request.batched ? { ...ctx, request: { ...ctx.request, caller: {} } } : ctx;
}

type Failed = { ports: Ports; request: Pick<ApiRequest, 'requestId' | 'observed'> };

/** Reports a server failure to the error collector, and keeps it for the request's log line. */
function report({ ports, request }: Failed, error: unknown, procedure?: string): void {
  const cause = toApiError(error).cause ?? error;
  if (request.observed) request.observed.failure ??= cause;
  ports.errors?.report(cause, { requestId: request.requestId, ...(procedure && { procedure }) });
}

/**
 * For failures in a transport, outside of any procedure. Writes a line of its own where the request will not have one.
 */
export function reportFailure(failed: Failed, error: unknown): void {
  const { observed, requestId } = failed.request;
  if (observed?.expected) return;
  if (observed?.failure === undefined) report(failed, error);
  if (!observed?.logged) failed.ports.log.error({ err: toApiError(error).cause ?? error, requestId }, 'request failed');
}
