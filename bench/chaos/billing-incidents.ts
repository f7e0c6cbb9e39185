import { setTimeout as sleep } from 'node:timers/promises';
import { type Hold, type Scene, untilTrue } from './billing-scene.ts';

/** Something that happens while money moves. */
export interface Incident {
  name: string;
  /** Whether it happened as its name says. */
  strike(scene: Scene): Promise<boolean>;
}

const RANDOM_KILLS = Math.max(0, Math.floor(Number(process.env['RANDOM_KILLS'] ?? 20)));
const RANDOM_WITHIN_MS = 3000;
const REACHED_WITHIN_MS = 90_000;

const CREATE = /^POST \/v1\/payment_intents$/;
const CONFIRM = /^POST \/v1\/payment_intents\/\w+\/confirm$/;
const LAST_DUE = 'select from subscriptions where id = (select max(id) from subscriptions) for update';

/** The fake keeps back an answer, or a lock keeps a statement waiting, until the server is dead. */
const killAt = (point: string, hold: (scene: Scene) => Hold | Promise<Hold>): Incident => ({
  name: `kill -9 ${point}`,
  async strike(scene) {
    await scene.addDue();
    const held = await hold(scene);
    await scene.renew();
    const isReached = await untilTrue(() => held.reached(), REACHED_WITHIN_MS);
    await scene.killServer();
    await held.release();
    return isReached;
  },
});

const killAtRandom = (nth: number): Incident => ({
  name: `kill -9 at random moment ${nth}`,
  async strike(scene) {
    await scene.addDue();
    await scene.renew();
    await sleep(Math.random() * RANDOM_WITHIN_MS);
    await scene.killServer();
    return true;
  },
});

/** One after the other, each under renewals of its own. */
export const INCIDENTS: readonly Incident[] = [
  killAt('before the charge is created', (scene) => scene.holdRequests(CREATE)),
  killAt('after it is created, before its id is committed', (scene) => scene.holdAnswers(CREATE)),
  killAt('after that commit, before it is confirmed', (scene) => scene.holdRequests(CONFIRM)),
  killAt('after it is confirmed, before that is recorded', (scene) => scene.holdAnswers(CONFIRM)),
  killAt('between the payment and the grant of its credits', (scene) =>
    scene.holdStatements('lock table credit_grants in exclusive mode', /credit_grant\(/),
  ),
  killAt('in the finalisation of an invoice', (scene) =>
    scene.holdStatements('select from invoice_series for no key update', /invoice_series/),
  ),
  killAt('in the batch of the sweep', (scene) => scene.holdStatements(LAST_DUE, /subscriptions/)),
  ...Array.from({ length: RANDOM_KILLS }, (_, at) => killAtRandom(at + 1)),
];
