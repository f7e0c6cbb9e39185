import { INCIDENTS } from './billing-incidents.ts';
import { openScene, type Scene } from './billing-scene.ts';
import { AT_THE_END, CREDITED, createJudge, FAULTS, settle } from './billing-verdicts.ts';

/** What has not happened by then does not happen, and counts as not reached. */
const MAX_STRIKING_MS = 460_000;
/** A killed worker's job goes on when its lease of 30 s has ended; then its payment may wait for the next sweep. */
const SETTLE_MS = 110_000;
const REACHED = { promise: 'Incidents that did not happen as meant', atMost: 0, unit: 'of them' };

/**
 * `pnpm chaos billing`: kills a server at each point between a renewal or a purchase and its credits, and at random
 * ones, and the database in the middle of payments, beside a Stripe and a PayPal that survive. The books are checked
 * after each, and what was charged is compared with what was credited. Exit code 1 if a promise was missed.
 */
export async function runBilling(): Promise<number> {
  const scene = await openScene();
  try {
    return (await strikeAll(scene)) ? 0 : 1;
  } finally {
    await scene.close();
  }
}

async function strikeAll(scene: Scene): Promise<boolean> {
  const judge = createJudge();
  const beganAt = performance.now();
  let missing = 0;
  judge.note(REACHED, missing, 'nothing');
  await scene.startServer();
  for (const { name, strike } of INCIDENTS) {
    const isTime = performance.now() - beganAt < MAX_STRIKING_MS;
    if (!isTime || !(await strike(scene))) judge.note(REACHED, ++missing, name);
    if (!isTime) continue;
    judge.note(FAULTS, await FAULTS.measure(scene), name);
    await scene.startServer();
    const waitedS = await CREDITED.measure(scene);
    judge.note(CREDITED, waitedS, name);
    judge.note(FAULTS, await FAULTS.measure(scene), name);
    process.stderr.write(`${secondsSince(beganAt)} s: ${name}; credited after ${waitedS.toFixed(1)} s.\n`);
  }
  await settle(scene, SETTLE_MS);
  for (const check of AT_THE_END) judge.note(check, await check.measure(scene), 'all that happened');
  process.stderr.write(`It took ${secondsSince(beganAt)} s.\n`);
  return judge.conclude();
}

const secondsSince = (beganAt: number): string => ((performance.now() - beganAt) / 1000).toFixed(0);
