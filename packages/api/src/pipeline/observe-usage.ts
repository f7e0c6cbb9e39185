import type { IncomingMessage } from 'node:http';
import type { Context, Ports } from '../context.ts';
import type { Observed, Transport } from '../wire/observed.ts';
import { countRecent } from './recent-calls.ts';
import type { UsageCall, UsageLog } from './usage-log.ts';

/** What is known of a call when it ends. */
interface EndedCall {
  procedure: string;
  status: number;
  durationMs: number;
  bytesIn?: number;
  bytesOut?: number;
}

const TRANSPORTS = { rest: 'rest', trpc: 'trpc', socket: 'ws' } as const satisfies Partial<Record<Transport, string>>;

/**
 * Notes a call for the usage log: at once, or with the end of its answer, when the size of that is known. Work without
 * a request is no call.
 */
export function noteUsage(ctx: Context, ended: EndedCall): void {
  const { procedure, status, durationMs, bytesIn = 0, bytesOut = 0 } = ended;
  const { ports, request, connection } = ctx;
  const { observed, caller } = request;
  if (!observed || observed.transport === 'internal') return;
  // Of strangers neither is kept: no one could ever ask for it to be erased.
  const isKnown = caller.userId !== undefined || caller.keyId !== undefined;
  const call: UsageCall = {
    callId: 0,
    occurredAt: connection || observed.transport === 'socket' ? ports.clock.now() : ctx.now,
    organizationId: caller.organizationId ?? 0,
    keyId: caller.keyId ?? null,
    userId: caller.userId ?? null,
    procedure,
    transport: TRANSPORTS[observed.transport],
    environment: caller.environment ?? null,
    status,
    latencyUs: Math.round(durationMs * 1000),
    bytesIn,
    bytesOut,
    ip: isKnown ? request.ip : null,
    userAgent: isKnown ? request.userAgent : null,
    cost: 0,
    requestId: request.requestId,
  };
  countRecent(ports, call);
  // The answer of a stream may last for hours.
  if (connection?.traffic) connection.traffic.ended(call);
  else if (observed.logged && !connection) (observed.usage ??= []).push(call);
  else ports.usage.note(call);
}

/**
 * The bytes of a WebSocket of many calls, each counted once: a call has those that came since the call before, and
 * those that are sent up to its answer, with the events that went before it.
 */
export interface Traffic {
  received(bytes: number): void;
  sent(bytes: number): void;
  /** A call whose answer is sent next. */
  ended(call: UsageCall): void;
  /** The answers of calls that have ended are not sent any more. */
  close(): void;
}

export function createTraffic({ usage }: { usage: UsageLog }): Traffic {
  const unanswered: UsageCall[] = [];
  let received = 0;
  let sent = 0;
  let closed = false;
  return {
    received(bytes) {
      received += bytes;
    },
    sent(bytes) {
      sent += bytes;
      const call = unanswered.shift();
      if (!call) return;
      call.bytesOut = sent;
      sent = 0;
      usage.note(call);
    },
    ended(call) {
      call.bytesIn = received;
      received = 0;
      if (closed) usage.note(call);
      else unanswered.push(call);
    },
    close() {
      closed = true;
      for (const call of unanswered.splice(0)) usage.note(call);
    },
  };
}

/** The calls of a request whose answer has ended. Its bytes count once: for the first call of a batch. */
export function noteAnswered({ usage }: Ports, req: IncomingMessage, observed: Observed, bytesOut: number): void {
  const calls = observed.usage;
  if (!calls) return;
  calls[0]!.bytesIn = observed.bodyBytes ?? Number(req.headers['content-length'] ?? 0);
  calls[0]!.bytesOut = bytesOut;
  for (const call of calls) usage.note(call);
}
