import { isDeepStrictEqual } from 'node:util';
import type { Delivery } from '@rentapi/fake-payments/deliveries';
import type {
  Charge,
  Dispute,
  ObjectRef,
  PaymentMethod,
  PaymentProvider,
  ProviderEvent,
  Refund,
} from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { execute, type Knex } from '@rentapi/platform/database';
import { type Context, systemContext } from '../src/context.ts';
import { DISPATCH } from '../src/jobs/dispatcher.ts';
import { storeEvent } from '../src/slices/billing/service/store.ts';
import { runControl, type TestApp } from './app.ts';

/** Something that has this server read an object: an event of the provider, or a job that looks by itself. */
export interface Arrival {
  name: string;
  /** The moment of the history that its reading shows: a copy may be behind, and an answer may be late. */
  seen: number;
  cause: ProviderEvent | { job: 'payments.charge' | 'payments.refund'; data: object };
}

interface Readings {
  charge: Charge;
  refund: Refund;
  dispute: Dispute;
  method: PaymentMethod | null;
}

/** What a provider answers of each object at one time. */
type Moment = { [Kind in keyof Readings]: Map<string, Readings[Kind]> };

export interface History {
  /** After each step. */
  moments: Moment[];
  events: Arrival[];
}

interface Recorded {
  provider: PaymentProvider;
  fake: { pending: Delivery[]; sign(body: string): Record<string, string> };
  /** Of earlier events, those about others are left out. */
  objects: readonly ObjectRef[];
  now: () => Date;
}

/** Lets the steps happen at a provider, and keeps its events for later, with what could be read after each step. */
export async function recordHistory(
  { provider, fake, objects, now }: Recorded,
  steps: readonly (() => unknown)[],
): Promise<History> {
  const known = [...objects];
  const history: History = { moments: [], events: [] };
  for (const step of [() => {}, ...steps]) {
    await step();
    const seen = history.moments.length;
    for (const { body } of fake.pending.splice(0)) {
      const event = await provider.verifyEvent(Buffer.from(body), fake.sign(body), now());
      const object = provider.objectOf(event);
      const isOfOthers = seen === 0 && !objects.some(({ kind, id }) => kind === object?.kind && id === object.id);
      if (!object || isOfOthers) continue;
      known.push(object);
      history.events.push({ name: `${event.type} of ${object.id} at ${seen}`, seen, cause: event });
    }
    history.moments.push(await readAll(provider, known));
  }
  return history;
}

async function readAll(provider: PaymentProvider, known: readonly ObjectRef[]): Promise<Moment> {
  const moment: Moment = { charge: new Map(), refund: new Map(), dispute: new Map(), method: new Map() };
  for (const { kind, id } of known) {
    if (kind === 'charge') moment.charge.set(id, await provider.getCharge(id));
    else if (kind === 'refund') moment.refund.set(id, await provider.getRefund(id));
    else if (kind === 'dispute') moment.dispute.set(id, await provider.getDispute(id));
    else if (kind === 'method') moment.method.set(id, await provider.getMethod(id));
    else throw new Error(`no history has a ${kind}`);
  }
  return moment;
}

interface Replayed {
  app: TestApp;
  provider: PaymentProvider;
  history: History;
  /** The moment that follows when this server confirms a charge. */
  confirmedAt?: number;
}

/** What has come of a history so far. */
interface World {
  /** The newest moment that anything has shown: it is what is read, unless that is old. */
  newest: number;
  /** The moment that the next reading shows, where that may be an older one. */
  old: number | null;
  /** Happens between the next reading and its answer. */
  meanwhile: (() => Promise<void>) | null;
  /** How often this server has moved money. */
  confirmed: number;
}

/** Of a refund that was recorded before this server knows its id of it. */
export const ANY_REFERENCE = 'any';

const CLAIM = {
  text: `
    update agenda_jobs set locked_at = now() where id = (
      select id from agenda_jobs
      where locked_at is null and name in ('billing.sync_object', 'payments.charge', 'payments.refund')
      order by number limit 1
    ) returning id, name, data`,
};
/** How often each object was to be read. */
const MARKS = {
  text: `
    select kind, external_id, dirty_seq from provider_objects
    where provider = $1 and external_id = any ($2) order by kind, external_id`,
};
const DONE = { text: 'delete from agenda_jobs where id = any ($1)' };
/** More than any arrival causes. */
const MAX_JOBS = 20;

class UndoneError extends Error {}

/** A transaction that its users take for the pool: each transaction of theirs is a savepoint of it. */
const asPool = (transaction: Knex): Knex =>
  new Proxy(transaction, { get: (target, name) => name !== 'isTransaction' && Reflect.get(target, name) });

async function undone(db: Knex, work: (db: Knex) => Promise<void>): Promise<void> {
  try {
    await db.transaction(async (inner) => {
      await work(asPool(inner));
      throw new UndoneError();
    });
  } catch (error) {
    if (!(error instanceof UndoneError)) throw error;
  }
}

/** What is compared after each order. */
interface Outcome {
  order: string[];
  db: Knex;
  world: Readonly<World>;
}

/**
 * Lives a history again, in other orders. The webhook's service, the dispatcher, the jobs and the services of this
 * server run in a transaction that is undone; the provider answers what was recorded.
 */
export function createReplay({ app, provider, history: { moments }, confirmedAt }: Replayed) {
  let world: World = { newest: 0, old: null, meanwhile: null, confirmed: 0 };

  async function read<Kind extends keyof Readings>(kind: Kind, id: string, mayBeOld = false): Promise<Readings[Kind]> {
    const moment = (mayBeOld ? world.old : null) ?? world.newest;
    const { meanwhile } = world;
    Object.assign(world, { old: null, meanwhile: null });
    await meanwhile?.();
    const found = moments[moment]![kind].get(id);
    if (found === undefined) throw new ProviderError(provider.name, 'refused', 'not_found');
    return found;
  }

  const replayed: PaymentProvider = {
    ...provider,
    // What is known of these only moves on, so that an old copy of them changes nothing.
    getCharge: (id) => read('charge', id, true),
    getRefund: (id) => read('refund', id, true),
    getDispute: (id) => read('dispute', id, true),
    getMethod: (id) => read('method', id),
    async confirmCharge({ id }) {
      if (confirmedAt === undefined) throw new Error(`${id} is not to be confirmed`);
      if (world.newest < confirmedAt) Object.assign(world, { newest: confirmedAt, confirmed: world.confirmed + 1 });
      return read('charge', id);
    },
    cancelCharge: (id) => read('charge', id),
    async refund({ reference, amount }) {
      const made = [...moments.at(-1)!.refund.values()];
      const same = made.find((refund) => refund.reference === reference);
      if (same) return read('refund', same.id, true);
      const found = made.find((refund) => refund.reference === ANY_REFERENCE);
      if (found?.amount.amountMinor !== amount.amountMinor) throw new Error(`${reference} is not to be refunded`);
      world.newest = moments.length - 1;
      return { ...(await read('refund', found.id)), reference };
    },
  };

  /** As in another process, which shares nothing. */
  function contextOn(db: Knex): Context {
    const ports = { ...app.ports, payments: new Map([[provider.name, replayed]]) };
    return { ...systemContext(ports, 'replay'), db };
  }

  async function run(db: Knex, name: string, data: unknown): Promise<void> {
    const job = app.ports.jobs.named(name)!;
    await job.run(contextOn(db), job.data!.parse(data), runControl());
  }

  async function work(db: Knex): Promise<void> {
    let done: string[] = [];
    for (let jobs = 0; ; jobs++) {
      const [, , [claimed]] = await Promise.all([
        execute(db, DONE, [done]),
        execute(db, DISPATCH, []),
        execute<{ id: string; name: string; data: unknown }>(db, CLAIM, []),
      ]);
      if (!claimed) return;
      if (jobs === MAX_JOBS) throw new Error(`${claimed.name} comes again and again`);
      await run(db, claimed.name, claimed.data);
      done = [claimed.id];
    }
  }

  async function come(db: Knex, { seen, cause }: Arrival): Promise<void> {
    world.newest = Math.max(world.newest, seen);
    if ('job' in cause) {
      world.old = seen; // it was sent before
      await run(db, cause.job, cause.data);
      world.old = null;
    } else await storeEvent(contextOn(db), provider, cause);
  }

  /** Stored before, they mark nothing to be read. What is read is not compared: jobs on a schedule read as well. */
  async function comeAgain(db: Knex, arrivals: readonly Arrival[]): Promise<void> {
    const ids = arrivals.map(({ cause }) => ('job' in cause ? null : provider.objectOf(cause)?.id));
    const marks = () => execute(db, MARKS, [provider.name, ids]);
    const before = await marks();
    for (const arrival of arrivals) if (!('job' in arrival.cause)) await come(db, arrival);
    if (!isDeepStrictEqual(await marks(), before)) throw new Error('an event that came again is to be read again');
    await work(db);
  }

  /**
   * In every order. Orders that have led to the same state are lived on once, as `stateOf` has it: what follows is the
   * same, because it depends on nothing else.
   */
  async function everyOrder(
    arrivals: readonly Arrival[],
    stateOf: (db: Knex) => Promise<string>,
    check: (outcome: Outcome) => Promise<void>,
  ): Promise<void> {
    const reached = new Set<string>();
    async function goOn(db: Knex, left: readonly Arrival[], order: string[]): Promise<void> {
      const before = world;
      for (const arrival of left) {
        world = { ...before };
        await undone(db, async (db) => {
          await come(db, arrival);
          if (!('job' in arrival.cause)) world.old = arrival.seen; // the copy that is read may be behind
          await work(db);
          world.old = null;
          const further = left.filter((other) => other !== arrival);
          const state = JSON.stringify([further.map(({ name }) => name), world.newest, await stateOf(db)]);
          if (reached.has(state)) return;
          reached.add(state);
          const so = [...order, arrival.name];
          if (further.length > 0) return goOn(db, further, so);
          await comeAgain(db, arrivals);
          await check({ order: so, db, world });
        });
      }
      world = before;
    }
    await undone(app.ports.database, (db) => goOn(db, arrivals, []));
  }

  /** In this order, where what comes next may come, and be done, between a reading and its answer. */
  async function oneOrder(
    arrivals: readonly Arrival[],
    meanwhile: (() => 'nothing' | 'comes' | 'is done') | null,
    check: (outcome: Outcome) => Promise<void>,
  ): Promise<void> {
    const before = world;
    world = { ...before };
    const left = [...arrivals];
    const order: string[] = [];
    const next = async (db: Knex, isDone: boolean): Promise<void> => {
      const arrival = left.shift();
      if (!arrival) return;
      const happens = meanwhile?.() ?? 'nothing';
      order.push(`${arrival.name}${happens === 'nothing' ? '' : `, and before its answer ${happens}`}`);
      if (happens !== 'nothing') world.meanwhile = () => next(db, happens === 'is done');
      await come(db, arrival);
      if (isDone) await work(db);
      world.meanwhile = null;
    };
    await undone(app.ports.database, async (db) => {
      while (left.length > 0) await next(db, true);
      await work(db);
      await check({ order, db, world });
    });
    world = before;
  }

  return { everyOrder, oneOrder };
}
