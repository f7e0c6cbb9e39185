import { execute, type Statement } from '@rentapi/platform/database';
import { createChaos } from './chaos.ts';
import {
  type Broken,
  findBroken,
  findBrokenByTime,
  gapInSeries,
  HOUR_MS,
  readWhole,
  takeChanged,
} from './invariants.ts';
import { type Month, readMonth } from './months.ts';
import { type Act, createPeople, type Late, PACK, type Person } from './people.ts';
import { randomOf } from './random.ts';
import type { SandboxAccount } from './sandbox.ts';
import { createSandboxPeople } from './sandbox-people.ts';
import { openWorld, type World } from './world.ts';

export const MAX_MONTHS = 60;
export const MAX_ORGANIZATIONS = 500;

export interface Simulation {
  /** A migrated database without data that notes changes, as the role that serves. */
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

/** What is due at $1, in the order of its organizations; the last row is when the next is. */
const DUE: Statement = {
  name: 'simulation_due',
  text: `
    /* across organizations */
    with due as (
      select 'billing.run_due' as job, organization_id as "organizationId" from subscriptions where due_at <= $1
      union select 'billing.run_due', organization_id from usage_periods where due_at <= $1
      union select 'billing.run_due', id from organizations where plan_until <= $1
      union select 'payments.run_due', organization_id from payments where due_at <= $1
      union select 'payments.run_due', organization_id from refunds where due_at <= $1
      union select 'payment_methods.settle_due', organization_id from payment_methods where due_at <= $1
      union select 'credits.run_due', organization_id from credit_balances
        where (next_expiry_at <= $1 and next_expiry_at < 'infinity') or notice is not null
    )
    select job, "organizationId", null::timestamptz as next from due
    union all
    select null, null, least(
      (select min(due_at) from subscriptions where due_at > $1), (select min(due_at) from usage_periods where due_at > $1),
      (select min(due_at) from payments where due_at > $1), (select min(due_at) from refunds where due_at > $1),
      (select min(due_at) from payment_methods where due_at > $1),
      (select min(plan_until) from organizations where plan_until > $1),
      (select min(next_expiry_at) from credit_balances where next_expiry_at > $1 and next_expiry_at < 'infinity'))
    order by 1, 2`,
};

const PAST_DUE: Statement = {
  name: 'simulation_past_due',
  text: `
    /* across organizations */
    select organization_id as "organizationId" from subscriptions
    where status = 'PAST_DUE' and past_due_since > $1 order by 1`,
};

/** Banks end within days what takes them days. */
const LATE: Statement = {
  name: 'simulation_late',
  text: `
    /* across organizations */
    select organization_id as "organizationId", external_id as id, provider from payments
    where status = 'PENDING' and provider <> 'manual' and external_id is not null
      and created_at <= $1::timestamptz - interval '1 day'
    order by id`,
};

interface Due {
  job: string | null;
  organizationId: number | null;
  next: Date | null;
}

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
  /** When something is due after this moment. */
  let nextDue: Date | null = null;

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
    refuse(await findBroken(world.context(), ids, !chaos.isAsleep()));
  }

  /** Where no row of an organization has changed, only time can have broken something. */
  async function checkAll(): Promise<void> {
    const ids = [...persons.keys()];
    const changed = await takeChanged(world.context());
    refuse(
      await findBrokenByTime(
        world.context(),
        ids.filter((id) => !changed.has(id)),
        !chaos.isAsleep(),
      ),
    );
    await check(ids.filter((id) => changed.has(id)));
  }

  function refuse([broken]: readonly Broken[]): void {
    if (broken) throw new BrokenError(broken);
  }

  async function step(what: string, ids: readonly number[], act: () => Promise<void>): Promise<void> {
    outcome.steps++;
    after = what;
    await act();
    await settle();
    await check(ids);
  }

  /** What is due at this moment, as jobs and their organizations; notes when the next is. */
  async function readDue(): Promise<{ jobs: Set<string>; ids: Set<number> }> {
    const rows = await execute<Due>(database, DUE, [world.now()]);
    const jobs = new Set<string>();
    const ids = new Set<number>();
    for (const { job, organizationId, next } of rows) {
      if (job === null || organizationId === null) nextDue = next;
      else {
        jobs.add(job);
        ids.add(organizationId);
      }
    }
    return { jobs, ids };
  }

  /** What is due at this moment, and what becomes due by it. */
  async function runDue(): Promise<void> {
    if (chaos.isAsleep()) return;
    let { jobs, ids } = await readDue();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const retry = world.nextRetry();
      if (ids.size === 0 && !(retry && retry <= world.now())) return;
      outcome.steps++;
      after = [...jobs].join(', ');
      for (const job of jobs) await world.tick(job);
      await settle();
      // What one job has made due is done by another, before anything is compared.
      const left = await readDue();
      await check([...ids].filter((id) => !left.ids.has(id)));
      ({ jobs, ids } = left);
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
    await checkAll();
    await checkWhole(false);
    const since = new Date(world.now().getTime() - DAY_MS);
    for (const { organizationId } of await execute<{ organizationId: number }>(database, PAST_DUE, [since])) {
      const person = persons.get(organizationId)!;
      if (person.random.chance(0.75)) later(person, person.random.between(0, 12) * DAY_MS, people.repair);
    }
    if (sandbox) return;
    for (const payment of await execute<Late & { organizationId: number }>(database, LATE, [world.now()]))
      people.endLate(persons.get(payment.organizationId)!, payment);
  }

  /** The numbers of all invoices; and the money at the providers beside ours, unless something is on its way. */
  async function checkWhole(isEnd: boolean): Promise<void> {
    const listedUntil = isChaotic || sandbox ? world.now() : new Date(0);
    const { hasGap, unsettled, ...ours } = await readWhole(world.context(), listedUntil);
    if (hasGap) throw new BrokenError(gapInSeries());
    if (sandbox && !isEnd) return; // reading all that has moved takes Stripe too long for each day
    if (unsettled > 0 || !chaos.isQuiet() || world.nextRetry() !== null) {
      if (isEnd)
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
    for (const provider of ['stripe', 'paypal'] as const) {
      if (ours[provider] === theirs[provider]) continue;
      const what = `${provider} has moved ${theirs[provider]}, and the journal has ${ours[provider]}.`;
      throw new BrokenError({ kind: 'PROVIDER_CASH', organizationId: null, what });
    }
  }

  function nextMoment(): Date {
    const now = world.now().getTime();
    const midnight = (Math.floor(now / DAY_MS) + 1) * DAY_MS;
    const awaited = [nextDue?.getTime(), world.nextRetry()?.getTime()].map((at) =>
      // Workers are woken once in an hour here.
      at === undefined ? midnight : Math.max(Math.ceil(at / HOUR_MS), Math.floor(now / HOUR_MS) + 1) * HOUR_MS,
    );
    return new Date(Math.min(midnight, planned[0]?.at ?? midnight, ...(chaos.isAsleep() ? [] : awaited)));
  }

  async function liveUntil(end: Date): Promise<void> {
    await runDue();
    while (world.now() < end && !signal?.aborted) {
      world.moveTo(nextMoment());
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
      await check([...persons.keys()]);
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
    await check([...persons.keys()]);
    if (sandbox) {
      await sandbox.waitForLists();
      world.moveTo(new Date(world.now().getTime() + HOUR_MS)); // lists are not read twice at one moment
      await runDue();
    }
    await world.tick('billing.reconcile');
    await settle();
    await world.tick('billing.verify');
    await checkWhole(true);
  } catch (error) {
    if (!(error instanceof BrokenError)) throw error;
    outcome.broken = { ...error.broken, step: outcome.steps, at: world.now(), after };
  }
  return outcome;
}

const monthAfter = (months: number): Date =>
  new Date(Date.UTC(STARTS_AT.getUTCFullYear(), STARTS_AT.getUTCMonth() + months, 1));
