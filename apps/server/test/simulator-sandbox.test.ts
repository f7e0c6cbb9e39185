import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFakeStripe, type FakeStripe } from '@rentapi/fake-payments/stripe';
import { openStripe } from '@rentapi/payments/stripe/client';
import { systemClock } from '@rentapi/platform/clock';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { runSimulation } from '../src/dev/simulator/command.ts';
import { noteChanges } from '../src/dev/simulator/invariants.ts';
import { openSandbox } from '../src/dev/simulator/sandbox.ts';
import { type Simulation, simulate } from '../src/dev/simulator/simulate.ts';

const TIMEOUT_MS = 300_000;
const KEY = 'sk_test_standin00000';
const ACCOUNT = { secretKey: KEY, requestsPerSecond: 1000, lagMs: 0 };
const CHARGES = /^POST \/v1\/payment_intents\/\w+\/confirm$/;

/** Stripe as a program has it: in real time, with pages that are never pressed and events that are never sent. */
let standIn: FakeStripe;

beforeAll(async () => {
  standIn = await createFakeStripe({ clock: systemClock, secretKey: KEY, webhookSecret: 'whsec_standin' });
});
afterAll(() => standIn.close());

const HAPPENED = `
  select
    (select count(*) from invoices later where reason = 'PERIOD' and kind = 'INVOICE' and status = 'PAID' and exists (
      select from invoices where subscription_id = later.subscription_id and reason = 'PERIOD' and id < later.id
    ))::integer as renewals,
    (select count(*) from invoices where reason = 'CHANGE' and status = 'PAID')::integer as changes,
    (select count(*) from payments where status = 'FAILED')::integer as declines,
    (select count(*) from refunds where status = 'SUCCEEDED')::integer as refunds,
    (select count(*) from disputes where status in ('WON', 'LOST'))::integer as disputes`;

type Given = Pick<Simulation, 'months' | 'organizations' | 'seed' | 'onMonth'>;

/** On a database of its own. */
async function run(given: Given) {
  const { url: databaseUrl, ownerUrl, drop } = await cloneDatabase(inject('postgres'));
  await noteChanges(ownerUrl);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'rentapi-sandbox-test-'));
  const sandbox = { ...ACCOUNT, apiBase: standIn.url };
  const rows = openDatabase(ownerUrl, { acquireTimeoutMs: 60_000, statementTimeoutMs: 60_000 });
  try {
    const outcome = await simulate({ ...given, chaos: false, databaseUrl, dataDir, sandbox });
    const { rows: counts } = await rows.raw<{ rows: Record<string, number>[] }>(HAPPENED);
    return { ...outcome, happened: counts[0]! };
  } finally {
    await rows.destroy();
    await drop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

describe('the simulator in a test account of Stripe', () => {
  it(
    'renews, changes, declines, refunds and disputes there, and every invariant holds',
    async () => {
      const before = standIn.balance('USD');
      const { broken, months, happened } = await run({ months: 3, organizations: 2, seed: 1 });
      expect(broken).toBeNull();
      expect(Math.min(...Object.values(happened))).toBeGreaterThan(0);
      expect(months.every(({ events }) => events > 0)).toBe(true);
      expect(standIn.requests.some((line) => CHARGES.test(line))).toBe(true);
      expect(standIn.balance('USD')).toBeGreaterThan(before);
      expect(standIn.pending.length).toBeGreaterThan(0); // none was sent
    },
    TIMEOUT_MS,
  );

  it(
    'is not disturbed by another run in the same account',
    async () => {
      const given = { months: 1, organizations: 1, seed: 3 };
      const [one, other] = await Promise.all([run(given), run(given)]);
      for (const { broken } of [one, other]) expect(broken).toBeNull();
      const booked = ({ months }: typeof one) => months.map(({ events, ...month }) => month);
      expect(booked(one)).toEqual(booked(other));
      expect(one.months[0]!.paidMinor).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'finds money that its customers have moved without the books',
    async () => {
      async function payBesides(): Promise<void> {
        const stripe = await openStripe({ secretKey: KEY, webhookSecrets: [], apiBase: standIn.url });
        const { data: events } = await stripe.events.list({ limit: 100 });
        const attached = events.find(({ type }) => type === 'payment_method.attached')!;
        const { customer } = attached.data.object as { customer: string };
        const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
        const made = await stripe.paymentIntents.create({
          amount: 700,
          currency: 'usd',
          customer,
          payment_method: id,
        });
        await stripe.paymentIntents.confirm(made.id);
      }
      const { broken } = await run({ months: 1, organizations: 1, seed: 4, onMonth: payBesides });
      expect(broken).toMatchObject({ kind: 'PROVIDER_CASH' });
    },
    TIMEOUT_MS,
  );

  it(
    'is called with the key of a test account, and says what it leaves out',
    async () => {
      const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
      const args = ['--sandbox', '--months', '1', '--organizations', '1'];
      try {
        expect(await runSimulation(args, { STRIPE_SECRET_KEY: KEY, STRIPE_API_BASE: standIn.url })).toBe(0);
        const text = written.mock.calls.map(([chunk]) => String(chunk)).join('');
        expect(text).toContain('What needs a page is left out');
        expect(text).toMatch(/\n +2028-01 +1 /);
        expect(text).toMatch(/\nEvery invariant held in \d+ steps, with seed 1, /);
      } finally {
        written.mockRestore();
      }
    },
    TIMEOUT_MS,
  );

  it.each([
    [
      { STRIPE_SECRET_KEY: 'sk_live_standin00000' },
      [],
      'STRIPE_SECRET_KEY is not a test key, so real money could move',
    ],
    [
      { STRIPE_SECRET_KEY: 'rk_live_standin00000' },
      [],
      'STRIPE_SECRET_KEY is not a test key, so real money could move',
    ],
    [{ STRIPE_SECRET_KEY: 'pk_test_standin00000' }, [], 'STRIPE_SECRET_KEY: must be a secret key'],
    [{}, [], '--sandbox needs STRIPE_SECRET_KEY'],
    [{ STRIPE_SECRET_KEY: KEY }, ['--chaos'], '--sandbox has no --chaos'],
    [{ STRIPE_SECRET_KEY: KEY }, ['--months', '13'], '--months is a whole number from 1 to 12'],
    [{ STRIPE_SECRET_KEY: KEY }, ['--organizations', '11'], '--organizations is a whole number from 1 to 10'],
  ])('is refused with %j and %j', async (source, args, sentence) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const asked = standIn.requests.length;
    try {
      expect(await runSimulation(['--sandbox', ...args], { STRIPE_API_BASE: standIn.url, ...source })).toBe(2);
      expect(String(written.mock.calls[0]?.[0])).toContain(sentence);
      expect(standIn.requests).toHaveLength(asked);
    } finally {
      written.mockRestore();
    }
  });

  it('gives and takes times by the clock of the simulation', async () => {
    let now = new Date('2028-01-01T00:00:00.000Z');
    const { provider } = openSandbox({ ...ACCOUNT, apiBase: standIn.url }, { now: () => now });
    const aheadMs = now.getTime() - Date.now();
    const customer = await provider.createCustomer({ key: 'times', reference: 'org_times', email: null, name: null });
    const card = standIn.addCard(customer!.id, 'pays');
    const { expiresAt } = (await provider.getMethod(card))!;
    expect(Math.abs(expiresAt!.getTime() - aheadMs - Date.UTC(2031, 0))).toBeLessThan(60_000);
    now = new Date('2028-02-01T00:00:00.000Z');
    const { items } = await provider.listSince('events', new Date('2028-01-31T00:00:00.000Z'));
    const { createdAt } = items.find(({ subject }) => subject['id'] === card)!;
    expect(createdAt).toEqual(new Date('2028-01-01T00:00:00.000Z'));
  });

  it('makes at most so many requests a second', async () => {
    const account = { ...ACCOUNT, apiBase: standIn.url, requestsPerSecond: 5 };
    const { provider } = openSandbox(account, systemClock);
    await provider.getMethod('pm_card_visa'); // the library is loaded
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 6 }, () => provider.getMethod('pm_card_visa')));
    expect(performance.now() - startedAt).toBeGreaterThan(5 * 200 - 5);
  });

  it('never opens an account of a live key', () => {
    const sandbox = { ...ACCOUNT, secretKey: 'sk_live_standin00000', apiBase: standIn.url };
    expect(() => openSandbox(sandbox, systemClock)).toThrow(/is not a test key/);
  });
});
