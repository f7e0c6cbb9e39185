import { randomUUID } from 'node:crypto';
import { type RentApi, RentApiError, type UsageIngestParams } from '@rentapi/sdk';

type UsageEvent = UsageIngestParams['events'][number];
/** What was used: the queue gives it its id and its time. */
type Usage = Omit<UsageEvent, 'transactionId' | 'timestamp'>;

const MAX_BATCH = 1000;
const MAX_WAITING = 100_000;
const PAUSE_MS = 1000;

export interface UsageQueue {
  /** False where too many wait already: the caller decides whether to serve what it cannot count. */
  add(usage: Usage): boolean;
  /** Sends what waits. Call it before the process ends: what waits is in memory only. */
  close(): Promise<void>;
}

/**
 * Sends usage in batches, beside the requests that cause it. An event has its id before it is sent for the first time,
 * so that a batch whose answer was lost can be sent again, and counts once.
 */
export function createUsageQueue(client: RentApi, onRefused: (event: UsageEvent, why: string) => void): UsageQueue {
  const waiting: UsageEvent[] = [];
  let sending: Promise<void> = Promise.resolve();

  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const events = waiting.slice(0, MAX_BATCH);
      try {
        await client.usage.ingest({ events });
      } catch (error) {
        const refused = refusedEvents(error);
        if (refused.size === 0) return; // the next turn sends the same events again
        // One bad event refuses its batch: the others are sent again without it.
        waiting.splice(0, events.length, ...events.filter((_, at) => !refused.has(at)));
        for (const [at, why] of refused) onRefused(events[at]!, why);
        continue;
      }
      waiting.splice(0, events.length);
    }
  }

  const turn = (): Promise<void> => (sending = sending.then(send));
  const timer = setInterval(turn, PAUSE_MS).unref();

  return {
    add(usage) {
      if (waiting.length >= MAX_WAITING) return false;
      waiting.push({ ...usage, transactionId: randomUUID(), timestamp: new Date().toISOString() });
      return true;
    },
    async close() {
      clearInterval(timer);
      await turn();
      if (waiting.length > 0) throw new Error(`${waiting.length} events of usage could not be sent`);
    },
  };
}

/** The places of the events that can never be counted, with the reason; none for an error that may pass. */
function refusedEvents(error: unknown): Map<number, string> {
  if (!(error instanceof RentApiError) || error.status === undefined || error.status >= 500) return new Map();
  const places = error.errors.flatMap(({ path, message }) => {
    const at = /^events\.(\d+)\./.exec(path)?.[1];
    return at === undefined ? [] : [[Number(at), `${error.code}: ${message}`] as const];
  });
  return new Map(places);
}
