import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { lowerBackgroundThreads } from './background-threads.ts';

it.runIf(process.platform === 'linux')('lets the event loop run before the threads of the pool', async () => {
  await readFile('/proc/self/comm'); // the pool starts with its first work
  const before = getPriority();
  lowerBackgroundThreads();
  lowerBackgroundThreads(); // once more changes nothing
  const threads = readdirSync('/proc/self/task').map((id) => {
    const name = readFileSync(`/proc/self/task/${id}/comm`, 'latin1').trim();
    return { name, priority: getPriority(Number(id)) };
  });
  const pool = threads.filter(({ name }) => name === 'libuv-worker');
  // Other threads of the process may be of other tests; those that a thread of the pool has begun are low, too.
  expect([getPriority(), getPriority(process.pid)]).toEqual([before, before]);
  expect(pool.map(({ priority }) => priority)).toEqual(pool.map(() => Math.min(before + 10, 19)));
});
