import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const SETTLE_MS = 10_000;
/** Each has the jobs of one full minute. */
const WINDOW_MS = 60_000;
/** As few as an interval of 95 % can have. */
const WINDOWS = 6;

/** What an idle server uses, window by window. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const server = await stage.startServer();
  const seconds = (SETTLE_MS + WINDOWS * WINDOW_MS) / 1000;
  process.stderr.write(`Waiting ${seconds} s with an idle server.\n`);
  await sleep(SETTLE_MS);
  const statements: number[] = [];
  const cpuMs: number[] = [];
  const rssMb: number[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    const [countBefore, before, began] = [await stage.countStatements(), await server.usage(), performance.now()];
    await sleep(WINDOW_MS);
    const elapsedS = (performance.now() - began) / 1000;
    statements.push(((await stage.countStatements()) - countBefore) / elapsedS);
    const { cpuUs, rssBytes } = await server.usage();
    cpuMs.push((cpuUs - before.cpuUs) / 1000 / elapsedS);
    rssMb.push(rssBytes / 1024 ** 2);
  }
  await server.stop();
  return [
    { promise: 'Idle statements', measured: spreadOf(statements), atMost: 8, unit: 'a second' },
    { promise: 'Idle CPU', measured: spreadOf(cpuMs), atMost: 8, unit: 'ms a second' },
    { promise: 'Idle memory (RSS), minute by minute', measured: spreadOf(rssMb), atMost: 200, unit: 'MB' },
  ];
}
