import { setTimeout as sleep } from 'node:timers/promises';
import { type Hold, type Scene, untilTrue } from './billing-scene.ts';

/** Something that happens while money moves. */
export interface Incident {
  name: string;
  /** Whether it happened as its name says. */
  strike(scene: Scene): Promise<boolean>;
}

const RANDOM_KILLS = Math.min(100, Math.max(0, Math.floor(Number(process.env['RANDOM_KILLS'] ?? 20))));
const RANDOM_WITHIN_MS = 3000;
const REACHED_WITHIN_MS = 90_000;
const OUTAGE_DAYS = 3;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const CREATE = /^POST \/v1\/payment_intents$/;
const CONFIRM = /^POST \/v1\/payment_intents\/\w+\/confirm$/;
const PAGE = /^POST \/v1\/checkout\/sessions$/;
const READ_PAGE = /^GET \/v1\/checkout\/sessions\/\w+$/;
const ORDER = /^POST \/v2\/checkout\/orders$/;
const CAPTURE = /^POST \/v2\/checkout\/orders\/\w+\/capture$/;
const LAST_DUE = 'select from subscriptions where id = (select max(id) from subscriptions) for update';

interface Point {
  name: string;
  /** What leads there. */
  cause(scene: Scene): unknown;
  /** The fake keeps back an answer, or a lock keeps a statement waiting. */
  hold(scene: Scene): Hold | Promise<Hold>;
}

const renew = (scene: Scene): Promise<void> => scene.renew();
const byStripe = (scene: Scene): void => void scene.buy('stripe');
const byPayPal = (scene: Scene): void => void scene.buy('paypal');
const paidOnPage = async (scene: Scene): Promise<void> => {
  await scene.buy('stripe');
  await scene.deliver();
};
const untilGranted = (scene: Scene): Promise<Hold> =>
  scene.holdStatements('lock table credit_grants in exclusive mode', /credit_grant\(/);

const POINTS = {
  create: { name: 'before a charge is created', cause: renew, hold: (scene) => scene.holdRequests(CREATE) },
  created: { name: 'before the id of a charge is committed', cause: renew, hold: (scene) => scene.holdAnswers(CREATE) },
  confirm: { name: 'before a charge is confirmed', cause: renew, hold: (scene) => scene.holdRequests(CONFIRM) },
  confirmed: { name: 'before its confirmation is recorded', cause: renew, hold: (scene) => scene.holdAnswers(CONFIRM) },
  grant: { name: 'before the credits of a renewal are granted', cause: renew, hold: untilGranted },
  finalise: {
    name: 'in the finalisation of an invoice',
    cause: renew,
    hold: (scene) => scene.holdStatements('select from invoice_series for no key update', /invoice_series/),
  },
  sweep: {
    name: 'in the batch of the sweep',
    cause: renew,
    hold: (scene) => scene.holdStatements(LAST_DUE, /subscriptions/),
  },
  open: { name: 'before a page of Stripe is opened', cause: byStripe, hold: (scene) => scene.holdRequests(PAGE) },
  opened: { name: 'before the id of a page is committed', cause: byStripe, hold: (scene) => scene.holdAnswers(PAGE) },
  read: { name: 'before a paid page is read', cause: paidOnPage, hold: (scene) => scene.holdRequests(READ_PAGE) },
  grantOfPage: { name: 'before what was bought on it is granted', cause: paidOnPage, hold: untilGranted },
  order: { name: 'before an order of PayPal is created', cause: byPayPal, hold: (scene) => scene.holdRequests(ORDER) },
  ordered: {
    name: 'before the id of an order is committed',
    cause: byPayPal,
    hold: (scene) => scene.holdAnswers(ORDER),
  },
  capture: { name: 'before an order is captured', cause: byPayPal, hold: (scene) => scene.holdRequests(CAPTURE) },
  captured: { name: 'before its capture is recorded', cause: byPayPal, hold: (scene) => scene.holdAnswers(CAPTURE) },
  grantOfOrder: { name: 'before what was bought by PayPal is granted', cause: byPayPal, hold: untilGranted },
} as const satisfies Record<string, Point>;

/** Strikes when something waits there, and lets it go afterwards. */
const at = ({ name, cause, hold }: Point, what: string, strike: (scene: Scene) => Promise<void>): Incident => ({
  name: `${what} ${name}`,
  async strike(scene) {
    await scene.addDue();
    const held = await hold(scene);
    await cause(scene);
    const isReached = await untilTrue(() => held.reached(), REACHED_WITHIN_MS);
    await strike(scene);
    await held.release();
    return isReached;
  },
});

const kill = (scene: Scene): Promise<void> => scene.killServer();
const restartDatabase = ({ stage }: Scene): Promise<void> => stage.restartDatabase();

const loseEvents = ({ stripe, paypal }: Scene): void => {
  for (const fake of [stripe, paypal]) fake.lose();
};
const killAndLose = async (scene: Scene): Promise<void> => {
  await scene.killServer();
  loseEvents(scene);
};

/** Nothing is heard of Stripe, which does what it is asked, nor of PayPal, which does not. */
const outage = (events: 'late' | 'lost'): Incident => ({
  name: `${OUTAGE_DAYS} days without providers, events ${events}`,
  async strike(scene) {
    const { stripe, paypal } = scene;
    await Promise.all(scene.purchases); // a page that its payer has not found within a day is closed
    const before = paypal.requests.length;
    paypal.fail('lose_request', CAPTURE, Number.POSITIVE_INFINITY);
    scene.buy('paypal');
    await scene.buy('stripe');
    const isApproved = async () => paypal.requests.slice(before).some((line) => CAPTURE.test(line));
    let isMeant = await untilTrue(isApproved, REACHED_WITHIN_MS);
    await scene.addDue();
    await scene.renew();
    stripe.fail('html_502', /./, Number.POSITIVE_INFINITY);
    paypal.fail('lose_request', /./, Number.POSITIVE_INFINITY);
    for (let day = 1; day <= OUTAGE_DAYS; day++) {
      const before = stripe.requests.length;
      await scene.passTime(DAY_MS);
      const isAsked = async () => stripe.requests.length > before && !(await isAnyDue(scene));
      isMeant &&= await untilTrue(isAsked, REACHED_WITHIN_MS);
    }
    for (const fake of [stripe, paypal]) fake.recover();
    if (events === 'lost') loseEvents(scene);
    await scene.passTime(HOUR_MS); // what waits is looked at again within an hour
    return (await untilTrue(async () => !(await isAnyDue(scene)), REACHED_WITHIN_MS)) && isMeant;
  },
});

const ANY_DUE = `
  select from (
    select due_at from subscriptions union all select due_at from payments union all select due_at from refunds
  ) due
  where due_at <= $1 limit 1`;

async function isAnyDue({ stage, clock }: Scene): Promise<boolean> {
  const { rows } = await stage.database.query(ANY_DUE, [clock.now()]);
  return rows.length > 0;
}

/** In the middle of payments. */
const CRASHED: readonly Point[] = [POINTS.created, POINTS.confirmed, POINTS.grant, POINTS.captured];
/** Charged by then. */
const LOST: readonly Point[] = [POINTS.confirmed, POINTS.captured];

const killAtRandom = (nth: number): Incident => ({
  name: `kill -9 at random moment ${nth}`,
  async strike(scene) {
    await scene.addDue();
    await scene.renew();
    scene.buy('stripe');
    scene.buy('paypal');
    await sleep(Math.random() * RANDOM_WITHIN_MS);
    await scene.killServer();
    return true;
  },
});

/** One after the other, each under renewals and purchases of its own. */
export const INCIDENTS: readonly Incident[] = [
  ...Object.values(POINTS).map((point) => at(point, 'kill -9', kill)),
  ...CRASHED.map((point) => at(point, 'crash of PostgreSQL', restartDatabase)),
  ...LOST.map((point) => at(point, 'kill -9 and loss of all events', killAndLose)),
  outage('late'),
  outage('lost'),
  ...Array.from({ length: RANDOM_KILLS }, (_, at) => killAtRandom(at + 1)),
];
