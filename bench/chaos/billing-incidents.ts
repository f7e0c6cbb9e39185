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

interface Point {
  name: string;
  /** The fake keeps back an answer, or a lock keeps a statement waiting. */
  hold(scene: Scene): Hold | Promise<Hold>;
}

const CREATED: Point = {
  name: 'after the charge is created, before its id is committed',
  hold: (scene) => scene.holdAnswers(CREATE),
};
const CONFIRMED: Point = {
  name: 'after it is confirmed, before that is recorded',
  hold: (scene) => scene.holdAnswers(CONFIRM),
};
const GRANTING: Point = {
  name: 'between the payment and the grant of its credits',
  hold: (scene) => scene.holdStatements('lock table credit_grants in exclusive mode', /credit_grant\(/),
};

const POINTS: readonly Point[] = [
  { name: 'before the charge is created', hold: (scene) => scene.holdRequests(CREATE) },
  CREATED,
  { name: 'after that commit, before it is confirmed', hold: (scene) => scene.holdRequests(CONFIRM) },
  CONFIRMED,
  GRANTING,
  {
    name: 'in the finalisation of an invoice',
    hold: (scene) => scene.holdStatements('select from invoice_series for no key update', /invoice_series/),
  },
  { name: 'in the batch of the sweep', hold: (scene) => scene.holdStatements(LAST_DUE, /subscriptions/) },
];

/** Strikes when a renewal waits there, and lets it go afterwards. */
const at = ({ name, hold }: Point, what: string, strike: (scene: Scene) => Promise<void>): Incident => ({
  name: `${what} ${name}`,
  async strike(scene) {
    await scene.addDue();
    const held = await hold(scene);
    await scene.renew();
    const isReached = await untilTrue(() => held.reached(), REACHED_WITHIN_MS);
    await strike(scene);
    await held.release();
    return isReached;
  },
});

const kill = (scene: Scene): Promise<void> => scene.killServer();
const restartDatabase = ({ stage }: Scene): Promise<void> => stage.restartDatabase();

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
  ...POINTS.map((point) => at(point, 'kill -9', kill)),
  ...[CREATED, CONFIRMED, GRANTING].map((point) => at(point, 'crash of PostgreSQL', restartDatabase)),
  ...Array.from({ length: RANDOM_KILLS }, (_, at) => killAtRandom(at + 1)),
];
