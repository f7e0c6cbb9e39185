import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { type Context, systemContext, within } from '@rentapi/api/context';
import { spendCredits } from '@rentapi/api/pipeline/credits';
import { closePorts } from '@rentapi/api/ports';
import { storeEvent } from '@rentapi/api/slices/billing/service/store';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { execute, type Statement } from '@rentapi/platform/database';
import { printSamples, speedRatio, takeTurns, type Work } from './in-process.ts';
import { openStagePorts } from './ports.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const ACCOUNTS = 1000;
const AT_ONCE = 50;
const TURNS = 4;
const ROUNDS = 75;
/** Far more than the bench spends. */
const CREDITS = 1_000_000_000;

const BY_HAND: Statement = {
  name: 'spend_by_hand',
  text: 'update balances_by_hand set balance = balance - $2 where organization_id = $1 and balance >= $2 returning balance',
};

/** Spending credits, each once for its key and with an entry of the ledger, beside a bare update of a balance. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const ports = openStagePorts(stage);
  try {
    await stage.database.query(
      `create table balances_by_hand as select n as organization_id, ${CREDITS}::bigint as balance from generate_series(1, ${ACCOUNTS}) n;
       alter table balances_by_hand add primary key (organization_id);
       select credit_grant(n, 'PAYMENT', 'bench', ${CREDITS}, 0, 'infinity', now()) from generate_series(1, ${ACCOUNTS}) n`,
    );
    const ctx = systemContext(ports, 'bench');
    const verdicts = [
      await measure(ctx, { accounts: ACCOUNTS, atLeast: 0.4 }),
      await measure(ctx, { accounts: 1, atLeast: 2 }),
      await measureEvents(ctx),
      await measureForgeries(),
    ];
    const faults = await findBillingFaults(ports.database, ports.clock.now());
    if (faults.length > 0) throw new Error(`the books do not balance: ${JSON.stringify(faults)}`);
    return verdicts;
  } finally {
    await closePorts(ports);
    await stage.database.query('drop table if exists balances_by_hand');
  }
}

async function measure(ctx: Context, { accounts, atLeast }: { accounts: number; atLeast: number }): Promise<Verdict> {
  let next = 0;
  const account = () => (next++ % accounts) + 1;
  const ours: Work = {
    name: 'credits',
    run: (times) => atOnce(times, async () => void (await spendCredits(within(ctx, account()), randomUUID(), 1))),
  };
  const byHand: Work = {
    name: 'a balance by hand',
    run: (times) => atOnce(times, async () => void (await execute(ctx.db, BY_HAND, [account(), 1]))),
  };
  const samples = await takeTurns([byHand, ours], { timesPerTurn: 500, turns: TURNS, rounds: ROUNDS });
  const of = accounts === 1 ? 'one account' : `${accounts} accounts`;
  printSamples(`Spending credits of ${of}, ${AT_ONCE} at once`, samples);
  const measured = speedRatio(samples, ours, byHand);
  return { promise: `Spending credits of ${of}`, measured, atLeast, unit: '× the updates/s of a balance by hand' };
}

const SECRET = 'whsec_of_the_bench';
/** Nothing is read there: events are stored, and no job runs. */
const stripe = createStripeProvider({ secretKey: 'sk_test_bench', webhookSecrets: [SECRET] });

const STORE_BY_HAND: Statement = {
  name: 'store_by_hand',
  text: 'insert into events_by_hand (external_id, type, object_id) values ($1, $2, $3) on conflict do nothing',
};

interface Signed {
  raw: Buffer;
  headers: Record<string, string>;
}

/** Another event each time, of the size that they have. */
function signedEvent(at: Date, signedWith = SECRET): Signed {
  const t = Math.floor(at.getTime() / 1000);
  const object = { id: `pi_${randomUUID().replaceAll('-', '')}`, object: 'payment_intent', padding: 'x'.repeat(2000) };
  const event = { id: `evt_${randomUUID().replaceAll('-', '')}`, object: 'event', type: 'payment_intent.succeeded' };
  const raw = Buffer.from(JSON.stringify({ ...event, created: t, livemode: false, data: { object } }));
  const v1 = createHmac('sha256', signedWith).update(`${t}.`).update(raw).digest('hex');
  return { raw, headers: { 'stripe-signature': `t=${t},v1=${v1}` } };
}

/** An event is verified and stored, its object marked and a job requested; beside a loop that verifies and inserts. */
async function measureEvents(ctx: Context): Promise<Verdict> {
  await ctx.db.raw(
    'create table if not exists events_by_hand (external_id text primary key, type text, object_id text)',
  );
  const ours: Work = {
    name: 'events',
    run: (times) =>
      atOnce(times, async () => {
        const now = new Date();
        const { raw, headers } = signedEvent(now);
        await storeEvent({ ...ctx, now }, stripe, await stripe.verifyEvent(raw, headers, now));
      }),
  };
  const byHand: Work = {
    name: 'verify and insert by hand',
    run: (times) =>
      atOnce(times, async () => {
        const now = new Date();
        const { raw, headers } = signedEvent(now);
        const [t, v1] = headers['stripe-signature']!.split(',').map((part) => part.slice(part.indexOf('=') + 1));
        const expected = createHmac('sha256', SECRET).update(`${t}.`).update(raw).digest();
        if (!timingSafeEqual(expected, Buffer.from(v1!, 'hex'))) throw new Error('not signed');
        const event = JSON.parse(raw.toString());
        await execute(ctx.db, STORE_BY_HAND, [event.id, event.type, event.data.object.id]);
      }),
  };
  const samples = await takeTurns([byHand, ours], { timesPerTurn: 300, turns: TURNS, rounds: ROUNDS });
  printSamples(`Taking events of Stripe, ${AT_ONCE} at once`, samples);
  await ctx.db.raw('drop table events_by_hand');
  const measured = speedRatio(samples, ours, byHand);
  return {
    promise: 'Taking events',
    measured,
    atLeast: 0.5,
    unit: '× the events/s of a loop that verifies and inserts',
  };
}

const FORGERIES = 5000;
const SAMPLES = 9;

/** What a forged event costs before it is refused. */
async function measureForgeries(): Promise<Verdict> {
  const samples: number[] = [];
  for (let sample = 0; sample <= SAMPLES; sample++) {
    const now = new Date();
    const { raw, headers } = signedEvent(now, 'another secret');
    const began = process.cpuUsage();
    for (let time = 0; time < FORGERIES; time++) await stripe.verifyEvent(raw, headers, now).catch(() => {});
    const { user, system } = process.cpuUsage(began);
    if (sample > 0) samples.push((user + system) / FORGERIES); // the first loads the library
  }
  return { promise: 'A forged event', measured: spreadOf(samples), atMost: 50, unit: 'µs of CPU' };
}

async function atOnce(times: number, once: () => Promise<void>): Promise<void> {
  let left = times;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await once();
    }),
  );
}
