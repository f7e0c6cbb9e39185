import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

const THREADS = '/proc/self/task';
/** What Linux shows of a thread of libuv's pool. */
const NAME = 'libuv-worker\n';
const LOWER_BY = 10;

/**
 * From now on, the event loop comes before the threads of libuv's pool where both want a core: a hash of a password
 * takes one for 50 ms and more. Linux has a priority for each thread; on other systems nothing changes.
 */
export function lowerBackgroundThreads(): void {
  const priority = Math.min(getPriority() + LOWER_BY, constants.priority.PRIORITY_LOW);
  try {
    for (const id of readdirSync(THREADS)) {
      if (readFileSync(`${THREADS}/${id}/comm`, 'latin1') === NAME) setPriority(Number(id), priority);
    }
  } catch {
    // A system without /proc, or one that does not allow it: requests then share the cores with hashes.
  }
}
