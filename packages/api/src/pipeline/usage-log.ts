import type { Logger } from '@rentapi/platform/logger';
import { createCallQueue } from './call-queue.ts';
import type { Metrics } from './observe-metrics.ts';

/** One call, as the usage log keeps it. */
export interface UsageCall {
  /** Unique among all processes: given by the log. */
  callId: number;
  occurredAt: Date;
  /** 0 for a call without an organization. */
  organizationId: number;
  keyId: number | null;
  /** The signed-in user; null for a key. */
  userId: number | null;
  procedure: string;
  transport: 'rest' | 'trpc' | 'ws' | 'verify';
  /** Of the key. */
  environment: 'live' | 'test' | null;
  status: number;
  latencyUs: number;
  bytesIn: number;
  bytesOut: number;
  ip: string | null;
  userAgent: string | null;
  /** Credits that the call has spent. */
  cost: number;
  requestId: string;
}

/** Where calls are written: PostgreSQL, or any store of many rows. */
export interface UsageSink {
  /**
   * Writes all calls of a batch or none. A batch that it was given before, and whose answer was lost, is written once.
   * Throws `BatchRefusedError` for what it will never take; after every other error it is given the same batch again.
   */
  write(batch: readonly UsageCall[]): Promise<void>;
}

export class BatchRefusedError extends Error {}

/** Keeps calls in memory for at most `flushMs`, and gives them to the sink in batches, one at a time. */
export interface UsageLog {
  /** Never waits and never throws. */
  note(call: UsageCall): void;
  /** Writes what is kept; what cannot be written in time is dropped. */
  close(): Promise<void>;
}

/** Encoding a batch holds up other calls for a few milliseconds. */
const BATCH = 2000;
/** Beyond it calls are dropped: about 20 MB, and the calls of half a minute in a busy process. */
const MAX_WAITING = 50_000;
const MAX_PAUSE_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5000;
/** PostgreSQL's integer: a longer download counts as this. */
const MAX_INTEGER = 2 ** 31 - 1;
const MAX_USER_AGENT = 256;

interface UsageLogOptions {
  sink: UsageSink;
  flushMs: number;
  log: Logger;
  metrics: Pick<Metrics, 'usageCalls'>;
  maxWaiting?: number;
}

export function createUsageLog({ sink, flushMs, log, metrics, maxWaiting = MAX_WAITING }: UsageLogOptions): UsageLog {
  const waiting = createCallQueue(BATCH);
  /** What the sink has, or is given again. */
  let batch: UsageCall[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let closing = false;
  /** Dropped since the sink last took a batch; null while all is well. */
  let dropped: number | null = null;
  // No two processes begin near each other, and what is added stays below 2^53.
  let lastId = Math.floor(Math.random() * 2 ** 52);

  function note(call: UsageCall): void {
    if (waiting.length + batch.length >= maxWaiting) return void drop(1);
    call.callId = ++lastId;
    if (call.latencyUs > MAX_INTEGER) call.latencyUs = MAX_INTEGER;
    if (call.bytesIn > MAX_INTEGER) call.bytesIn = MAX_INTEGER;
    if (call.bytesOut > MAX_INTEGER) call.bytesOut = MAX_INTEGER;
    if (call.userAgent !== null && call.userAgent.length > MAX_USER_AGENT) call.userAgent = cut(call.userAgent);
    waiting.add(call);
    if (waiting.length >= BATCH && failures === 0) write();
    else timer ??= setTimeout(write, flushMs).unref();
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    writing ??= writeAll().finally(() => {
      writing = undefined;
      if (batch.length + waiting.length > 0 && !closing) timer ??= setTimeout(write, pauseMs()).unref();
    });
  }

  /** Until nothing is left, or the sink fails. */
  async function writeAll(): Promise<void> {
    while (batch.length + waiting.length > 0) {
      if (batch.length === 0) batch = waiting.take();
      try {
        await sink.write(batch);
        metrics.usageCalls.inc({ outcome: 'written' }, batch.length);
      } catch (error) {
        if (!(error instanceof BatchRefusedError)) {
          failures++;
          return void complain(error);
        }
        metrics.usageCalls.inc({ outcome: 'dropped' }, batch.length);
        log.error({ err: error, dropped: batch.length }, 'the usage log refused calls');
      }
      batch = [];
      recover();
    }
  }

  const pauseMs = (): number => Math.min(MAX_PAUSE_MS, flushMs * 2 ** Math.min(failures, 10));

  function drop(count: number): void {
    metrics.usageCalls.inc({ outcome: 'dropped' }, count);
    complain();
    dropped = (dropped ?? 0) + count;
  }

  /** One line, however long it lasts. A database that is silent is no error yet. */
  function complain(error?: unknown): void {
    if (dropped !== null) return;
    dropped = 0;
    log.warn(
      { ...(error !== undefined && { err: error }) },
      `the usage log is not written: ${maxWaiting} calls are kept in memory, and further ones dropped`,
    );
  }

  function recover(): void {
    failures = 0;
    if (dropped === null) return;
    log.info({ dropped }, 'the usage log is written again');
    dropped = null;
  }

  return {
    note,
    async close() {
      closing = true;
      const { promise: tooLate, resolve } = Promise.withResolvers<void>();
      const limit = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      // One that began earlier may just have failed: the last try is a new one.
      for (let attempt = 0; attempt < 2 && batch.length + waiting.length > 0; attempt++) {
        write();
        await Promise.race([writing, tooLate]);
      }
      clearTimeout(limit);
      clearTimeout(timer);
      const left = batch.length + waiting.length;
      if (left === 0) return;
      drop(left);
      log.warn({ dropped }, 'calls are missing in the usage log: it was not written before the end');
    },
  };
}

/** A copy: a part of a string keeps the whole in memory. */
function cut(userAgent: string): string {
  return Buffer.from(userAgent.slice(0, MAX_USER_AGENT), 'latin1').toString('latin1');
}
