import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ports } from '@rentapi/api/context';
import { closePorts } from '@rentapi/api/ports';
import { addMonths } from '@rentapi/api/slices/subscriptions/periods';
import { createFakePayPal, type FakePayPal } from '@rentapi/fake-payments/paypal';
import { listenLocally, type Serve } from '@rentapi/fake-payments/server';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import type { Clock } from '@rentapi/platform/clock';
import pg from 'pg';
import { createAccounts } from '../accounts.ts';
import type { Child } from '../child.ts';
import { openStagePorts } from '../ports.ts';
import { openStage, type Stage } from '../stage.ts';
import { addSubscriptions } from '../subscriptions.ts';
import { buyCredits, PACK } from './billing-buyer.ts';

/** A server that may die at any moment, beside providers that survive. */
export interface Scene {
  stage: Stage;
  ports: Ports;
  stripe: FakeStripe;
  paypal: FakePayPal;
  /** Of the server and of the providers; that of the database is the machine's. */
  clock: Clock;
  /** Where the server is, or was last. */
  origin: string;
  /** Renewals that were due until now. */
  renewals: number;
  /** Of credits, that have begun until now. */
  purchases: Promise<void>[];
  startServer(): Promise<void>;
  killServer(): Promise<void>;
  /** Starts the server again so much later, with all that is due by then done at once. */
  passTime(ms: number): Promise<void>;
  /** Adds subscriptions whose period has just ended. */
  addDue(): Promise<void>;
  /** Renews them at once instead of within a minute. */
  renew(): Promise<void>;
  /** Has credits bought; resolves when their payer has paid, or has given up. */
  buy(provider: 'stripe' | 'paypal'): Promise<void>;
  /** Sends the events that wait, each ten times, the newest first. */
  deliver(): Promise<void>;
  /** Leaves requests that match without an effect and without an answer. */
  holdRequests(match: RegExp): Hold;
  /** Lets requests that match have their effect, and gives no answer. */
  holdAnswers(match: RegExp): Hold;
  /** Locks what a statement needs: it waits inside its transaction. */
  holdStatements(lock: string, statement: RegExp): Promise<Hold>;
  close(): Promise<void>;
}

export interface Hold {
  reached(): Promise<boolean>;
  release(): Promise<void>;
}

const DUE_AT_A_TIME = 4;
/** More than are needed, each in an organization of their own. */
const PEOPLE = 1000;
const OF_STRIPE = { secretKey: 'sk_test_of_the_chaos', webhookSecret: 'whsec_of_the_chaos' };
const OF_PAYPAL = { clientId: 'client', clientSecret: 'secret_of_the_chaos', webhookId: 'WH-CHAOS' };

export async function openScene(): Promise<Scene> {
  const stage = await openStage();
  const ports = openStagePorts(stage);
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  let waiting: ((line: string) => boolean) | null = null;
  let answersHeld = 0;
  const serve: Serve = (listener) =>
    listenLocally((req, res) => {
      if (waiting?.(lineOf(req))) return; // its connection ends with the process that waits
      listener(req, res);
    });
  const options = { clock, onHang: () => void answersHeld++, serve };
  const stripe = await createFakeStripe({ ...options, ...OF_STRIPE });
  // Without a certificate of PayPal's, so that each event is held until PayPal says that it is genuine.
  const paypal = await createFakePayPal({ ...options, ...OF_PAYPAL, signer: null });
  const tokens = await createAccounts(stage, PEOPLE, 1);
  await stage.database.query(ADD_PACK, [PACK.credits, PACK.amountMinor]);
  const { secretKey, webhookSecret } = OF_STRIPE;
  const atStripe = createStripeProvider({ secretKey, webhookSecrets: [webhookSecret], apiBase: stripe.url });
  const customer = await atStripe.createCustomer({ key: 'chaos', reference: 'chaos', email: null, name: null });
  const settings = {
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_API_BASE: stripe.url,
    PAYPAL_CLIENT_ID: OF_PAYPAL.clientId,
    PAYPAL_CLIENT_SECRET: OF_PAYPAL.clientSecret,
    PAYPAL_WEBHOOK_ID: OF_PAYPAL.webhookId,
    PAYPAL_API_BASE: paypal.url,
  };
  let server: Child | null = null;
  const scene: Scene = {
    stage,
    ports,
    stripe,
    paypal,
    clock,
    origin: '',
    renewals: 0,
    purchases: [],
    async startServer() {
      server ??= await stage.startServer('start', {
        ...settings,
        ...(aheadMs > 0 && { NODE_OPTIONS: `--import ${CLOCK_AHEAD}`, CLOCK_AHEAD_MS: String(aheadMs) }),
      });
      scene.origin = server.origin;
      stripe.sendEventsTo(`${scene.origin}/api/v1/billing/stripe/webhook`);
      paypal.sendEventsTo(`${scene.origin}/api/v1/billing/paypal/webhook`);
    },
    async killServer() {
      await server?.kill();
      server = null;
    },
    async passTime(ms) {
      await scene.killServer();
      aheadMs += ms;
      await scene.startServer();
      await stage.database.query(RUN_NOW, [JOBS]);
    },
    async addDue() {
      await addDue(scene, customer!.id);
      scene.renewals += DUE_AT_A_TIME;
    },
    renew: async () => void (await stage.database.query(RUN_NOW, [['billing.run_due']])),
    buy(provider) {
      const purchase = buyCredits(scene, provider, tokens.pop()!).catch((error: unknown) => {
        process.stderr.write(`A payer has given up: ${String(error)}\n`);
      });
      scene.purchases.push(purchase);
      return purchase;
    },
    async deliver() {
      for (const fake of [stripe, paypal]) await fake.deliver({ order: 'reversed', copies: 10 });
    },
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
      for (const fake of [stripe, paypal]) fake.fail('hang', match, 1000);
      return {
        reached: async () => answersHeld > before,
        async release() {
          for (const fake of [stripe, paypal]) fake.recover();
        },
      };
    },
    holdStatements: (lock, statement) => holdStatements(stage, lock, statement),
    async close() {
      await closePorts(ports);
      await stage.close();
      await Promise.all([stripe.close(), paypal.close()]);
    },
  };
  return scene;
}

const lineOf = (req: IncomingMessage): string => `${req.method} ${(req.url ?? '').split('?')[0]}`;

async function holdStatements(stage: Stage, lock: string, statement: RegExp): Promise<Hold> {
  const client = new pg.Client({ connectionString: stage.databaseUrl, application_name: 'rentapi chaos' });
  client.on('error', () => {}); // the database goes away beneath it
  await client.connect();
  await client.query('begin');
  await client.query(lock);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return {
    async reached() {
      const found = await stage.database.query<{ query: string }>(
        'select query from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
        [rows[0]!.pid],
      );
      return found.rows.some(({ query }) => statement.test(query));
    },
    release: () => client.end(),
  };
}

const CLOCK_AHEAD = import.meta.resolve('../clock-ahead.ts');
const JOBS = ['billing.run_due', 'payments.run_due', 'billing.sync_forgotten_objects', 'billing.reconcile'];
const RUN_NOW = 'update job_schedules set next_at = now() where name = any ($1)';

const ADD_PACK =
  "insert into credit_prices (credits, currency, amount_minor, created_at) values ($1, 'USD', $2, now())";

async function addDue({ stage, stripe, clock }: Scene, customerId: string): Promise<void> {
  const cards = Array.from({ length: DUE_AT_A_TIME }, () => stripe.addCard(customerId, 'pays'));
  const begun = addMonths(clock.now(), -1);
  await addSubscriptions(
    stage,
    'PRO',
    cards,
    cards.map(() => begun),
  );
}

/** Looks until it is so, or too much time has passed. */
export async function untilTrue(look: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(200)) {
    if (await look()) return true;
  }
  return false;
}
