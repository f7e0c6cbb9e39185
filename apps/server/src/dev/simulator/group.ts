import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Said } from './groups.ts';
import { type Simulation, simulate } from './simulate.ts';

/** The thread of one group. */
const given = workerData as Simulation;
const say = (said: Said): void => parentPort!.postMessage(said);

await once(parentPort!, 'message'); // the database is there
await mkdir(given.dataDir, { recursive: true });
const { steps, broken } = await simulate({ ...given, onMonth: (month) => say({ month }) });
say({ outcome: { steps, broken } });
