import type { IncomingMessage } from 'node:http';
import type { Actor } from '../pipeline/actor.ts';

/** How a call came in. */
export type Transport = 'rest' | 'trpc' | 'socket' | 'internal';

/** What is learned of a request on its way, for its log line, its trace and its count. */
export interface Observed {
  transport: Transport;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** Names of the procedures it calls: one, or those of a batch. */
  procedures: string[];
  actor: Actor | null;
  organizationId: number | null;
  /** Why the answer is a 5xx. */
  failure: unknown;
  /** Whether a machine that watches the process asked. */
  probe: boolean;
  /** Whether a line is written when the request ends. */
  logged: boolean;
  /** Whether the guard counted a call. */
  counted: boolean;
}

const OBSERVED = Symbol('observed');
type ObservedRequest = IncomingMessage & { [OBSERVED]?: Observed };

/** The request's own, made at the first question. */
export function observed(req: ObservedRequest): Observed {
  return (req[OBSERVED] ??= {
    transport: transportOf(req),
    traceparent: single(req.headers['traceparent']),
    tracestate: single(req.headers['tracestate']),
    procedures: [],
    actor: null,
    organizationId: null,
    failure: undefined,
    probe: false,
    logged: false,
    counted: false,
  });
}

function transportOf({ url = '', headers }: IncomingMessage): Transport {
  if (headers.upgrade) return 'socket';
  return url.startsWith('/trpc/') ? 'trpc' : 'rest';
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
