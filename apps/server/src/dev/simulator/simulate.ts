import { execute, type Statement } from '@rentapi/platform/database';
import { createChaos } from './chaos.ts';
import { type Broken, cashOf, findBroken, findBrokenSeries, HOUR_MS } from './invariants.ts';
import { type Month, readMonth } from './months.ts';
import { type Act, createPeople, PACK, type Person } from './people.ts';
import { randomOf } from './random.ts';
import type { SandboxAccount } from './sandbox.ts';
import { createSandboxPeople } from './sandbox-people.ts';
import { openWorld, type World } from './world.ts';

export const MAX_MONTHS = 60;
export const MAX_ORGANIZATIONS = 500;

export interface Simulation {
  /** A migrated database without data, as the role that serves. */
  databaseUrl: string;
  dataDir: string;
  months: number;
  organizations: number;
  seed: number;
  chaos: boolean;
  /** Of one seed, each group lives otherwise. The first unless it is given. */
  group?: number;
  /** A test account of Stripe, in place of both fakes. */
  sandbox?: SandboxAccount | null;
  /** Ends it early. */
  signal?: AbortSignal;
  /** Hears of each month that has passed. */
  onMonth?: (month: Month) => void | Promise<void>;
}

export interface Outcome {
  months: Month[];
  /** How many acts of people and rounds of due work there were. */
  steps: number;
  /** The first that did not hold; null where all did, always. */
  broken: (Broken & { step: number; at: Date; after: string }) | null;
}

const DAY_MS = 24 * HOUR_MS;
/** The first February has 29 days. */
const STARTS_AT = new Date('2028-01-01T00:00:00.000Z');
/** After the last month, everything recovers. */
const REST_DAYS = 5;
/** How often work may cause further work at one moment. */
const MAX_ROUNDS = 200;

const NEXT: Statement = {
  name: 'simulation_next',
  text: `
    /* across organizations */
    select min(at) as at from (
      select min(due_at) as at from subscriptions
      union all select min(due_at) from usage_periods
      union all select min(due_at) from payments
      union all select min(due_at) from refunds
      union all select min(due_at) from payment_methods
      union all select min(plan_until) from organizations
      union all select min(next_expiry_at) from credit_balances where next_expiry_at < 'infinity'
    ) due`,
};

const DUE: Statement = {
  name: 'simulation_due',
  text: `
    /* across organizations */
    select 'billing.run_due' as job, organization_id as "organizationId" from subscriptions where due_at <= $1
    union select 'billing.run_due', organization_id from usage_periods where due_at <= $1
    union select 'billing.run_due', id from organizations where plan_until <= $1
    union select 'payments.run_due', organization_id from payments where due_at <= $1
    union select 'payments.run_due', organization_id from refunds where due_at <= $1
    union select 'payment_methods.settle_due', organization_id from payment_methods where due_at <= $1
    union select 'credits.run_due', organization_id from credit_balances
      where (next_expiry_at <= $1 and next_expiry_at < 'infinity') or notice is not null
    order by 1, 2`,
};

const PAST_DUE: Statement = {
  name: 'simulation_past_due',
  text: `
    /* across organizations */
    select organization_id as "organizationId" from subscriptions
    where status = 'PAST_DUE' and past_due_since > $1 order by 1`,
};

const UNSETTLED: Statement = {
  text: `
    select (select count(*) from provider_objects where synced_seq < dirty_seq)
      + (select count(*) from provider_lists where since < $1) + (select count(*) from held_events) as count`,
};

interface Planned {
  at: number;
  person: Person;
  act: Act;
}

class BrokenError extends Error {
  readonly broken: Broken;

  constructor(broken: Broken) {
    super(broken.what);
    this.broken = broken;
  }
}

/** Months of an installation in some seconds: the real services beside the fakes, with every step checked. */
export async function simulate(options: Simulation): Promise<Outcome> {
  const world = await openWorld({ ...options, startsAt: STARTS_AT });
  try {
    return await live(world, options);
  } finally {
    await world.close();
  }
}

async function live(
  world: World,
  { months, organizations, seed, chaos: isChaotic, group = 0, signal, onMonth }: Simulation,
) {
  const outcome: Outcome = { months: [], steps: 0, broken: null };
  const { database } = world.ports;
  const planned: Planned[] = [];
  let after = 'the start';

  function later(person: Person, ms: number, act: Act): void {
    const at = world.now().getTime() + ms;
    const place = planned.findIndex((other) => other.at > at);
    planned.splice(place < 0 ? planned.length : place, 0, { at, person, act });
  }

  const people = createPeople({ world, chaos: isChaotic, later });
  const { sandbox } = world;
  const visitors = sandbox && createSandboxPeople({ world, sandbox, people, later });
  const chaos = createChaos({ world, random: isChaotic ? randomOf(seed, -1 - group) : null });
  const persons = new Map<number, Person>();

  async function begin(): Promise<void> {
    await database('credit_prices').insert({ ...PACK, createdAt: world.now() });
    await world.tick('billing.reconcile'); // what is listed counts from here
    for (let number = 0; number < organizations; number++) {
      const random = randomOf(seed, group * MAX_ORGANIZATIONS + number);
      const dice = random.next();
      const provider = visitors || dice < 0.6 ? 'stripe' : dice < 0.85 ? 'paypal' : 'manual';
      const person: Person = { customer: await world.signUp(number), provider, random };
      persons.set(person.customer.id, person);
      const startsIn = random.between(0, 28 * 24 * 60) * 60_000;
      if (visitors) {
        later(person, startsIn % (5 * DAY_MS), visitors.arrive);
        continue;
      }
      later(person, startsIn, people.subscribe);
      later(person, startsIn + random.between(10, 40) * DAY_MS, people.reconsider);
      if (provider === 'manual') later(person, startsIn + DAY_MS, people.transfer);
    }
  }

  /** Until nothing more follows at this moment. */
  async function settle(): Promise<void> {
    if (chaos.isAsleep()) return;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const done = await world.work();
      const sent = await chaos.deliver();
      if (done === 0 && sent === 0) return;
    }
    throw new BrokenError({ kind: 'RESTLESS', organizationId: null, what: 'Work causes further work without end.' });
  }

  async function check(ids: readonly number[]): Promise<void> {
    const [broken] = await findBroken(world.context(), ids, { isAwake: !chaos.isAsleep() });
    if (broken) throw new BrokenError(broken);
  }

  async function step(what: string, ids: readonly number[], act: () => Promise<void>): Promise<void> {
    outcome.steps++;
    after = what;
    await act();
    await settle();
    await check(ids);
  }

  /** What is due at this moment, and what becomes due by it. */
  async function runDue(): Promise<void> {
    if (chaos.isAsleep()) return;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const due = await execute<{ job: string; organizationId: number }>(database, DUE, [world.now()]);
      const retry = world.nextRetry();
      if (due.length === 0 && !(retry && retry <= world.now())) return;
      const jobs = [...new Set(due.map(({ job }) => job))];
      const ids = [...new Set(due.map(({ organizationId }) => organizationId))];
      outcome.steps++;
      after = jobs.join(', ');
      for (const job of jobs) await world.tick(job);
      await settle();
      // What one job has made due is done by another, before anything is compared.
      const left = await execute<{ organizationId: number }>(database, DUE, [world.now()]);
      const busy = new Set(left.map(({ organizationId }) => organizationId));
      await check(ids.filter((id) => !busy.has(id)));
    }
    throw new BrokenError({
      kind: 'DUE',
      organizationId: null,
      what: 'What is due stays due, however often it is done.',
    });
  }

  async function passDay(): Promise<void> {
    after = 'a day';
    chaos.passDay();
    if (!chaos.isAsleep()) {
      // In chaos each day, as in production; where no event is lost, lists have nothing new. A sandbox sends none.
      if (isChaotic || sandbox || world.now().getUTCDay() === 1) await world.tick('billing.reconcile');
      await world.tick('billing.sync_forgotten_objects');
      await settle();
      await runDue();
    }
    await check([...persons.keys()]);
    const [series] = await findBrokenSeries(world.context());
    if (series) throw new BrokenError(series);
    if (!sandbox) await compareCash(false);
    const since = new Date(world.now().getTime() - DAY_MS);
    for (const { organizationId } of await execute<{ organizationId: number }>(database, PAST_DUE, [since])) {
      const person = persons.get(organizationId)!;
      if (person.random.chance(0.75)) later(person, person.random.between(0, 12) * DAY_MS, people.repair);
    }
  }

  /** The money at the providers beside ours, unless something is still on its way. */
  async function compareCash(mustSettle: boolean): Promise<void> {
    // Events that were lost are known once the list of their provider was read.
    const listedUntil = isChaotic || sandbox ? world.now() : new Date(0);
    const [unsettled] = await execute<{ count: number }>(database, UNSETTLED, [listedUntil]);
    if (unsettled!.count > 0 || !chaos.isQuiet() || world.nextRetry() !== null) {
      if (mustSettle)
        throw new BrokenError({
          kind: 'UNSETTLED',
          organizationId: null,
          what: 'What a provider has is not known here.',
        });
      return;
    }
    const theirs = {
      stripe: await (sandbox ?? world.stripe).balance('USD'),
      paypal: Math.round(Number(world.paypal.balance('USD')) * 100),
    };
    for (const [provider, amount] of Object.entries(theirs)) {
      const ours = await cashOf(world.context(), provider, 'USD');
      if (ours === amount) continue;
      const what = `${provider} has moved ${amount}, and the journal has ${ours}.`;
      throw new BrokenError({ kind: 'PROVIDER_CASH', organizationId: null, what });
    }
  }

  async function nextMoment(): Promise<Date> {
    const now = world.now().getTime();
    const midnight = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
    const [due] = await execute<{ at: Date | null }>(database, NEXT, []);
    const awaited = [due!.at?.getTime(), world.nextRetry()?.getTime()].map((at) =>
      // Workers are woken once in an hour here.
      at === undefined ? midnight : Math.max(Math.ceil(at / HOUR_MS), Math.floor(now / HOUR_MS) + 1) * HOUR_MS,
    );
    return new Date(Math.min(midnight, planned[0]?.at ?? midnight, ...(chaos.isAsleep() ? [] : awaited)));
  }

  async function liveUntil(end: Date): Promise<void> {
    while (world.now() < end && !signal?.aborted) {
      world.moveTo(await nextMoment());
      const now = world.now().getTime();
      for (let next = planned[0]; next && next.at <= now; next = planned[0]) {
        planned.shift();
        const { person, act } = next;
        await step(act.name, [person.customer.id], () => act(person));
      }
      await runDue();
      if (now % DAY_MS === 0) await passDay();
    }
  }

  try {
    await begin();
    for (let month = 0; month < months; month++) {
      const from = monthAfter(month);
      const to = monthAfter(month + 1);
      await liveUntil(to);
      if (signal?.aborted) return outcome;
      const row = {
        ...(await readMonth(world, from, to)),
        ...chaos.takeCounts(),
        ...(sandbox && { events: sandbox.takeEvents() }),
      };
      outcome.months.push(row);
      await onMonth?.(row);
    }
    chaos.end();
    planned.length = 0;
    await liveUntil(new Date(world.now().getTime() + REST_DAYS * DAY_MS));
    after = 'all months';
    if (sandbox) {
      await sandbox.waitForLists();
      world.moveTo(new Date(world.now().getTime() + HOUR_MS)); // lists are not read twice at one moment
      await runDue();
    }
    await world.tick('billing.reconcile');
    await settle();
    await world.tick('billing.verify');
    await compareCash(true);
  } catch (error) {
    if (!(error instanceof BrokenError)) throw error;
    outcome.broken = { ...error.broken, step: outcome.steps, at: world.now(), after };
  }
  return outcome;
}

const monthAfter = (months: number): Date =>
  new Date(Date.UTC(STARTS_AT.getUTCFullYear(), STARTS_AT.getUTCMonth() + months, 1));
