import type { IncomingMessage } from 'node:http';
import type { ApiError } from '../contract/errors.ts';
import type { UsageCall } from '../pipeline/usage-log.ts';

/** The transport of a call. */
export type Transport = 'rest' | 'trpc' | 'socket' | 'internal';

/** Who calls, as far as it is known: also by a credential that is no longer valid. */
export interface KnownCaller {
  userId?: number;
  sessionId?: string;
  keyId?: number;
  organizationId?: number;
  /** Of the key. */
  environment?: 'live' | 'test';
}

/** Collected about a request for its log line, its trace and its metrics. */
export interface Observed {
  transport: Transport;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** The procedures that it calls: one, or those of a batch. */
  procedures: string[];
  caller: KnownCaller;
  /** Null until something serves it. */
  requestId: string | null;
  /** Why the answer is a 5xx. */
  failure: unknown;
  /** What was refused or failed: of a batch, each of its calls. */
  errors: ApiError[];
  /** Whether its line is for debugging only: probes, and files of pages. */
  quiet: boolean;
  /**
   * Whether a 503 says no more than that the process is starting, or that a probe has found it stopping or not ready.
   */
  expected: boolean;
  /** Whether a line is written when the request ends. */
  logged: boolean;
  /** Whether the guard counted a call. */
  counted: boolean;
  /** Its calls, which are written to the usage log when the answer has ended. */
  usage: UsageCall[] | undefined;
  /** The size of a body that did not announce it. */
  bodyBytes: number | undefined;
}

const OBSERVED = Symbol('observed');
type ObservedRequest = IncomingMessage & { [OBSERVED]?: Observed };

/** Read on first use, for the request's own trace. What serves an upgrade sets its transport. */
export function observed(req: ObservedRequest): Observed {
  return (req[OBSERVED] ??= {
    transport: transportOf(req),
    traceparent: single(req.headers['traceparent']),
    tracestate: single(req.headers['tracestate']),
    procedures: [],
    caller: {},
    requestId: null,
    failure: undefined,
    errors: [],
    quiet: false,
    expected: false,
    logged: false,
    counted: false,
    usage: undefined,
    bodyBytes: undefined,
  });
}

function transportOf({ url = '' }: IncomingMessage): Transport {
  return url.startsWith('/trpc/') ? 'trpc' : 'rest';
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** What was refused before any procedure was called. */
export function noteError(req: IncomingMessage, error: ApiError): void {
  const { errors } = observed(req);
  if (errors.length === 0) errors.push(error);
}
