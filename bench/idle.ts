import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const IDLE_MS = 60_000;

/** What an idle server uses. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const server = await stage.startServer();
  process.stderr.write(`Waiting ${IDLE_MS / 1000} s with an idle server.\n`);
  await sleep(IDLE_MS);
  const { rssBytes } = await server.usage();
  await server.stop();
  return [{ promise: 'Idle memory (RSS)', measured: spreadOf([rssBytes / 1024 ** 2]), atMost: 250, unit: 'MB' }];
}
