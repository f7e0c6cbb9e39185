import { randomUUID } from 'node:crypto';
import { type Context, systemContext } from '@rentapi/api/context';
import { closePorts } from '@rentapi/api/ports';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { chargePayment } from '@rentapi/api/slices/payments/jobs';
import { runDueSubscriptions } from '@rentapi/api/slices/subscriptions/jobs';
import { addMonths } from '@rentapi/api/slices/subscriptions/periods';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { request } from 'undici';
import { createAccounts } from './accounts.ts';
import { atOnce, printSamples, speedRatio, takeTurns, WARM_UPS, type Work } from './in-process.ts';
import { openStagePorts } from './ports.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';
import { addSubscriptions } from './subscriptions.ts';

const ROUNDS = 9;
const BATCHES = ROUNDS + WARM_UPS;
/** Set `RENEWALS` for more: 10,000 take some ten minutes. */
const DUE_AT_A_TIME = Math.max(1, Math.floor(Number(process.env['RENEWALS'] ?? 1100) / BATCHES));
const RENEWALS = BATCHES * DUE_AT_A_TIME;
/** As many payments as a worker charges at once. */
const CHARGES_AT_ONCE = 10;
const SECRET_KEY = 'sk_test_of_the_bench';

/** Renewals that are due, until each is paid, beside loops that make the same calls of the provider. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const stripe = await stage.startProgram(import.meta.resolve('./fake-stripe.ts'), { STRIPE_SECRET_KEY: SECRET_KEY });
  const ports = openStagePorts(stage, {
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_WEBHOOK_SECRET: 'whsec_of_the_bench',
    STRIPE_API_BASE: stripe.origin,
  });
  try {
    const base = systemContext(ports, 'bench');
    const place = { stage, base, origin: stripe.origin };
    const fast = await measure(place, { answersAfterMs: 0, loops: [1, CHARGES_AT_ONCE], renewed: RENEWALS });
    const slow = await measure(place, { answersAfterMs: 50, loops: [CHARGES_AT_ONCE], renewed: 2 * RENEWALS });
    await stripe.stop();
    return [...fast, ...slow];
  } finally {
    await closePorts(ports);
  }
}

interface Place {
  stage: Stage;
  base: Context;
  /** Of the provider. */
  origin: string;
}

interface Beside {
  answersAfterMs: number;
  /** Each makes one charge after the other. */
  loops: readonly number[];
  /** So many are renewed at its end. */
  renewed: number;
}

async function measure({ stage, base, origin }: Place, { answersAfterMs, loops, renewed }: Beside): Promise<Verdict[]> {
  const cards = await cardsOf(origin, RENEWALS + 1);
  const moments = await addDue(stage, base.now, cards.slice(1));
  await (await request(`${origin}/answers-after/${answersAfterMs}`, { method: 'POST' })).body.dump();
  const charge = () => chargeOnce(base.ports.payments.get('stripe')!, cards[0]!);
  const floors = loops.map((count): Work => {
    const name = count === 1 ? 'one loop' : `${count} loops`;
    return { name, run: (times) => atOnce(count, times, charge) };
  });
  let next = 0;
  const ours: Work = {
    name: 'renewals',
    async prepare() {
      await stage.database.query('delete from outbox');
    },
    run: () => renewDue(stage, { ...base, now: moments[next++]! }),
  };
  const samples = await takeTurns([...floors, ours], { timesPerTurn: DUE_AT_A_TIME, turns: 1, rounds: ROUNDS });
  const provider = answersAfterMs === 0 ? 'answers at once' : `answers after ${answersAfterMs} ms`;
  printSamples(`${RENEWALS} renewals, ${DUE_AT_A_TIME} due at a time; the provider ${provider}`, samples);
  await assertAllPaid(stage, base, renewed);
  return floors.map((floor) => ({
    promise: `Renewals that are due, where the provider ${provider}`,
    measured: speedRatio(samples, ours, floor),
    atLeast: 0.5,
    unit: `× the charges/s of ${floor.name}`,
  }));
}

async function cardsOf(origin: string, count: number): Promise<string[]> {
  const { body } = await request(`${origin}/cards/${count}`, { method: 'POST' });
  return (await body.json()) as string[];
}

/** Returns the moments at which some of them are due, in order. */
async function addDue(stage: Stage, now: Date, cards: readonly string[]): Promise<Date[]> {
  await createAccounts(stage, RENEWALS, 0);
  const anchors = Array.from({ length: BATCHES }, (_, at) => addMonths(new Date(now.getTime() + at), -1));
  const begun = cards.map((_, at) => anchors[Math.floor(at / DUE_AT_A_TIME)]!);
  await addSubscriptions(stage, 'BASIC', cards, begun);
  await stage.database.query('analyze');
  return anchors.map((anchor) => addMonths(anchor, 1));
}

/** The two calls of a charge, its id known before it is confirmed. */
async function chargeOnce(provider: PaymentProvider, methodId: string): Promise<void> {
  const reference = randomUUID();
  const returnUrl = 'http://127.0.0.1/';
  const amount = { amountMinor: 1900, currency: 'USD' };
  const method = { methodId, customerId: null, returnUrl };
  const { id } = await provider.createCharge({ ...method, key: reference, reference, amount, description: 'Basic' });
  const { status } = await provider.confirmCharge({ ...method, id, key: reference });
  if (status !== 'SUCCEEDED') throw new Error(`a charge became ${status}`);
}

const control = { signal: new AbortController().signal, touch() {} };

/** The sweep, and the jobs that it requests, as many at once as in a worker. */
async function renewDue(stage: Stage, ctx: Context): Promise<void> {
  await runDueSubscriptions.run(ctx, { at: ctx.now }, control);
  const { rows } = await stage.database.query<{ data: unknown }>('delete from outbox where job = $1 returning data', [
    chargePayment.name,
  ]);
  await atOnce(CHARGES_AT_ONCE, rows.length, (at) =>
    chargePayment.run(ctx, chargePayment.data.parse(rows[at]!.data), control),
  );
}

async function assertAllPaid(stage: Stage, ctx: Context, renewed: number): Promise<void> {
  const { rows } = await stage.database.query<{ paid: number }>(
    "select count(*)::integer as paid from subscriptions where period_index = 1 and status = 'ACTIVE'",
  );
  if (rows[0]!.paid !== renewed) throw new Error(`${rows[0]!.paid} of ${renewed} were renewed`);
  const faults = await findBillingFaults(ctx.db, ctx.now);
  if (faults.length > 0) throw new Error(`the books do not balance: ${JSON.stringify(faults.slice(0, 3))}`);
}
