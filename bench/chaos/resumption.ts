import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from './system.ts';

/** The jobs that a killed worker had under way, and when the last of them went on elsewhere. */
interface Interruption {
  at: number;
  jobs: number;
  resumedAt?: number;
}

export interface Interruptions {
  list: readonly Interruption[];
  /** The worker of this process id was killed just now. */
  note(pid: number): Promise<void>;
  /** Resolves when all have gone on, or `untilMs` (of `performance.now()`) has come. */
  settle(untilMs: number): Promise<void>;
}

const LOOK_EVERY_MS = 250;

export function watchInterruptions(query: System['query']): Interruptions {
  const list: Interruption[] = [];
  const watching = new Set<Promise<void>>();
  let stopped = false;

  const heldBy = async (pid: number): Promise<string[]> => {
    const rows = await query<{ id: string }>(
      `select id from agenda_jobs where locked_at is not null and last_modified_by like '%:${pid}:%'`,
    );
    return rows.map(({ id }) => id);
  };

  async function watch(interruption: Interruption, pid: number): Promise<void> {
    while (!stopped) {
      // The database may be down: then nothing is known, and nothing goes on.
      const left = await heldBy(pid).catch(() => null);
      if (left?.length === 0) {
        interruption.resumedAt = performance.now();
        return;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  return {
    list,
    async note(pid) {
      const interruption = { at: performance.now(), jobs: (await heldBy(pid)).length };
      list.push(interruption);
      const run = watch(interruption, pid).finally(() => watching.delete(run));
      watching.add(run);
    },
    async settle(untilMs) {
      await Promise.race([Promise.all(watching), sleep(Math.max(0, untilMs - performance.now()))]);
      stopped = true;
      await Promise.all(watching);
    },
  };
}
