import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { closePorts } from '@rentapi/api/ports';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { addMonths } from '@rentapi/api/slices/subscriptions/periods';
import { listenLocally } from '@rentapi/fake-payments/server';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import pg from 'pg';
import { createAccounts } from '../accounts.ts';
import { openStagePorts } from '../ports.ts';
import { printVerdicts, spreadOf, type Verdict } from '../report.ts';
import { openStage, type Stage } from '../stage.ts';

const RANDOM_KILLS = Math.max(0, Math.floor(Number(process.env['RANDOM_KILLS'] ?? 20)));
const DUE_AT_A_TIME = 6;
const RANDOM_WITHIN_MS = 3000;
const REACHED_WITHIN_MS = 90_000;
/** A killed worker's job goes on when its lease of 30 s has ended; then its payment may wait for the next sweep. */
const SETTLE_MS = 240_000;
const KEYS = { secretKey: 'sk_test_of_the_chaos', webhookSecret: 'whsec_of_the_chaos' };

interface Scene {
  stage: Stage;
  stripe: FakeStripe;
  /** Leaves requests that match without an effect and without an answer, until the end of the call of `kill`. */
  holdRequests(match: RegExp): Hold;
  /** Lets requests that match have their effect, and gives no answer. */
  holdAnswers(match: RegExp): Hold;
  /** Locks what a statement needs: it waits inside its transaction. */
  holdStatements(lock: string, statement: RegExp): Promise<Hold>;
}

interface Hold {
  reached(): Promise<boolean>;
  release(): Promise<void>;
}

const CREATE = /^POST \/v1\/payment_intents$/;
const CONFIRM = /^POST \/v1\/payment_intents\/\w+\/confirm$/;
const LAST_DUE = 'select from subscriptions where id = (select max(id) from subscriptions) for update';

const POINTS: readonly { name: string; hold(scene: Scene): Hold | Promise<Hold> }[] = [
  { name: 'before the charge is created', hold: (scene) => scene.holdRequests(CREATE) },
  { name: 'after it is created, before its id is committed', hold: (scene) => scene.holdAnswers(CREATE) },
  { name: 'after that commit, before it is confirmed', hold: (scene) => scene.holdRequests(CONFIRM) },
  { name: 'after it is confirmed, before that is recorded', hold: (scene) => scene.holdAnswers(CONFIRM) },
  {
    name: 'between the payment and the grant of its credits',
    hold: (scene) => scene.holdStatements('lock table credit_grants in exclusive mode', /credit_grant\(/),
  },
  {
    name: 'in the finalisation of an invoice',
    hold: (scene) => scene.holdStatements('select from invoice_series for no key update', /invoice_series/),
  },
  { name: 'in the batch of the sweep', hold: (scene) => scene.holdStatements(LAST_DUE, /subscriptions/) },
];

/**
 * `pnpm chaos billing`: kills a server at each point between a renewal that is due and its credits, and at random ones,
 * beside a Stripe that survives; then compares what was charged, paid and granted. Exit code 1 if anything differs.
 */
export async function runBilling(): Promise<number> {
  const stage = await openStage();
  let waiting: ((line: string) => boolean) | null = null;
  let answersHeld = 0;
  const stripe = await createFakeStripe({
    ...KEYS,
    clock: { now: () => new Date() },
    onHang: () => void answersHeld++,
    serve: (listener) =>
      listenLocally((req, res) => {
        if (waiting?.(lineOf(req))) return; // its connection ends with the process that waits
        listener(req, res);
      }),
  });
  const scene: Scene = {
    stage,
    stripe,
    holdRequests(match) {
      let held = 0;
      waiting = (line) => match.test(line) && ++held > 0;
      return {
        reached: async () => held > 0,
        release: async () => void (waiting = null),
      };
    },
    holdAnswers(match) {
      const before = answersHeld;
      stripe.fail('hang', match, 1000);
      return { reached: async () => answersHeld > before, release: async () => stripe.recover() };
    },
    holdStatements: (lock, statement) => holdStatements(stage, lock, statement),
  };
  try {
    return (await strikeAll(scene)) ? 0 : 1;
  } finally {
    await stage.close();
    await stripe.close();
  }
}

const lineOf = (req: IncomingMessage): string => `${req.method} ${(req.url ?? '').split('?')[0]}`;

async function holdStatements({ databaseUrl, database }: Stage, lock: string, statement: RegExp): Promise<Hold> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rentapi chaos' });
  await client.connect();
  await client.query('begin');
  await client.query(lock);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return {
    async reached() {
      const found = await database.query<{ query: string }>(
        'select query from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
        [rows[0]!.pid],
      );
      return found.rows.some(({ query }) => statement.test(query));
    },
    async release() {
      await client.query('rollback');
      await client.end();
    },
  };
}

async function strikeAll(scene: Scene): Promise<boolean> {
  const { stage, stripe } = scene;
  const settings = {
    STRIPE_SECRET_KEY: KEYS.secretKey,
    STRIPE_WEBHOOK_SECRET: KEYS.webhookSecret,
    STRIPE_API_BASE: stripe.url,
  };
  const begin = () => stage.startServer('start', settings);
  let server = await begin();
  let hit = 0;
  for (const { name, hold } of POINTS) {
    await addDue(scene);
    const held = await hold(scene);
    await sweepNow(stage);
    const isHit = await untilTrue(() => held.reached(), REACHED_WITHIN_MS);
    if (isHit) hit++;
    await server.kill();
    await held.release();
    process.stderr.write(`kill -9 ${name}${isHit ? '' : ': NOT REACHED'}.\n`);
    server = await begin();
  }
  for (let kills = 0; kills < RANDOM_KILLS; kills++) {
    await addDue(scene);
    await sweepNow(stage);
    const waitMs = Math.round(Math.random() * RANDOM_WITHIN_MS);
    await sleep(waitMs);
    await server.kill();
    process.stderr.write(`kill -9 ${waitMs} ms after a sweep was requested.\n`);
    server = await begin();
  }
  stripe.sendEventsTo(`${server.origin}/api/v1/billing/stripe/webhook`);
  await stripe.deliver({ order: 'reversed', copies: 10 });
  const expected = DUE_AT_A_TIME * (POINTS.length + RANDOM_KILLS);
  const beganAt = performance.now();
  const isSettled = await untilTrue(async () => (await countPaid(stage)) === expected, SETTLE_MS);
  process.stderr.write(`${isSettled ? 'Settled' : 'NOT settled'} after ${seconds(performance.now() - beganAt)}.\n`);
  return report(scene, { hit, expected });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function untilTrue(look: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(200)) {
    if (await look()) return true;
  }
  return false;
}

const ADD = `
  with homes as (
    select id, row_number() over (order by id) as at from (select id from organizations order by id desc limit $1) newest
  ), accounts as (
    insert into billing_accounts (organization_id, currency, created_at, updated_at) select id, 'USD', now(), now() from homes
  ), methods as (
    insert into payment_methods (organization_id, provider, status, is_default, external_id, kind, created_at)
    select homes.id, 'stripe', 'ACTIVE', true, card, 'card', now()
    from homes join unnest($2::text[]) with ordinality as cards (card, at) using (at)
  )
  insert into subscriptions (organization_id, status, price_id, quantity, provider, return_url, anchor_at, period_index,
    cycle, period_start, period_end, credits_index, credits_due_at, due_at, created_at, updated_at)
  select homes.id, 'ACTIVE', prices.id, 1, 'stripe', 'http://127.0.0.1/', $3, 0, 1, $3, $4, 1, $4, $4, $3, $3
  from homes join prices on prices.plan = 'PRO' and prices.interval = 'month' and prices.currency = 'USD'`;

/** Subscriptions whose period has just ended. */
async function addDue({ stage, stripe }: Scene): Promise<void> {
  await createAccounts(stage, DUE_AT_A_TIME, 0);
  const cards = Array.from({ length: DUE_AT_A_TIME }, () => stripe.addCard('cus_of_the_chaos', 'pays'));
  const begun = addMonths(new Date(), -1);
  await stage.database.query(ADD, [cards.length, cards, begun, addMonths(begun, 1)]);
}

/** Instead of within a minute. */
async function sweepNow({ database }: Stage): Promise<void> {
  await database.query("update job_schedules set next_at = now() where name = 'billing.run_due'");
}

async function countPaid({ database }: Stage): Promise<number> {
  const { rows } = await database.query<{ paid: number }>(
    "select count(*)::integer as paid from subscriptions where period_index = 1 and status = 'ACTIVE' and renewal_invoice_id is null",
  );
  return rows[0]!.paid;
}

const TOTALS = `
  select (select count(*) from payments where status = 'SUCCEEDED')::integer as payments,
         (select coalesce(sum(amount_minor), 0) from payments where status = 'SUCCEEDED')::integer as cash,
         (select count(*) from credit_grants)::integer as grants`;

async function report({ stage, stripe }: Scene, of: { hit: number; expected: number }): Promise<boolean> {
  const { rows } = await stage.database.query<{ payments: number; cash: number; grants: number }>(TOTALS);
  const { payments, cash, grants } = rows[0]!;
  const ports = openStagePorts(stage);
  const faults = await findBillingFaults(ports.database, ports.clock.now()).finally(() => closePorts(ports));
  for (const fault of faults.slice(0, 10)) process.stderr.write(`${JSON.stringify(fault)}\n`);
  const none = (promise: string, differing: number): Verdict => ({
    promise,
    measured: spreadOf([Math.abs(differing)]),
    atMost: 0,
    unit: 'of them',
  });
  const verdicts = [
    none('Points that were not reached', POINTS.length - of.hit),
    none('Renewals that are not paid', of.expected - (await countPaid(stage))),
    none('Payments without a renewal, or too few', of.expected - payments),
    none('Grants of credits too few or too many', of.expected - grants),
    none("Money that differs from Stripe's balance", cash - stripe.balance('usd')),
    none('Faults of the books', faults.length),
  ];
  printVerdicts(verdicts);
  return verdicts.every(({ measured }) => measured.high === 0);
}
