import { setImmediate as nextTurn } from 'node:timers/promises';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { keepLock } from './lock.ts';

type TenantContext = Context & Tenancy;

/** Of more, all would hold their locks for longer than a call should wait. */
const MAX_MEMBERS = 10;
/** Others wait so long for one that runs: it may wait for the lock of a call, alone. */
const PATIENCE_MS = 200;

interface Member {
  ctx: TenantContext;
  /** In a shared transaction; what it returns answers the caller after the commit. */
  share(db: Knex): Promise<() => void>;
  /** In a transaction of its own, to its end. */
  runAlone(): Promise<void>;
}

interface Queue {
  waiting: Member[];
  isRunning: boolean;
}

const queues = new WeakMap<Knex, Queue>();

/**
 * A transaction for work in one organization, which it shares with work in others that is asked for at the same time:
 * their statements leave in the same writes, and one commit stores all. The organization is locked first. Where another
 * has that lock, or one of them fails, each runs alone: so `work` must have no effect outside the database, and no
 * savepoint, which would undo what others do meanwhile. A call never shares: it would wait for the work of others.
 */
export function sharedTransaction<C extends TenantContext, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction || ctx.actor) return transaction(ctx, work);
  return new Promise<T>((resolve, reject) => {
    const queue = queues.get(ctx.db) ?? { waiting: [], isRunning: false };
    queues.set(ctx.db, queue);
    queue.waiting.push({
      ctx,
      async share(db) {
        const made = await work({ ...ctx, db });
        return () => resolve(made);
      },
      runAlone: () => transaction(ctx, work).then(resolve, reject),
    });
    if (!queue.isRunning) void runWaiting(queue);
  });
}

/** One after the other: meanwhile, those gather that will share the next. */
async function runWaiting(queue: Queue): Promise<void> {
  queue.isRunning = true;
  while (queue.waiting.length > 0) {
    await nextTurn(); // until all that are asked for in this one are there
    const isOver = Promise.withResolvers<void>();
    const timer = setTimeout(isOver.resolve, PATIENCE_MS);
    await Promise.race([runMembers(takeMembers(queue)), isOver.promise]);
    clearTimeout(timer);
  }
  queue.isRunning = false;
}

/** One of each organization: they would not wait for each other's locks. */
function takeMembers(queue: Queue): Member[] {
  const taken = new Map<number, Member>();
  for (const member of queue.waiting) {
    const { id } = member.ctx.organization;
    if (taken.size < MAX_MEMBERS && !taken.has(id)) taken.set(id, member);
  }
  queue.waiting = queue.waiting.filter((member) => taken.get(member.ctx.organization.id) !== member);
  return [...taken.values()];
}

async function runMembers(members: readonly Member[]): Promise<void> {
  const answers = members.length > 1 ? await runShared(members) : undefined;
  await Promise.all(
    members.map(async (member) => {
      const answer = answers?.get(member);
      if (answer) answer();
      else await member.runAlone();
    }),
  );
}

/** Answers those that were stored. */
async function runShared(members: readonly Member[]): Promise<Map<Member, () => void>> {
  const { ctx } = members[0]!;
  try {
    return await transaction(ctx, async ({ db }) => {
      const free = await lockFree(db, members);
      const meeting: Meeting = { coming: free.length, waiting: [] };
      meetings.set(db, meeting);
      const settled = await Promise.allSettled(
        free.map(async (member) => [member, await member.share(db).finally(() => leave(meeting))] as const),
      );
      return new Map(settled.map(madeBy));
    });
  } catch (error) {
    ctx.ports.log.warn({ err: error }, 'work of several organizations was undone, and runs one by one');
    return new Map();
  }
}

function madeBy<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

const LOCK_FREE: Statement = {
  name: 'lock_free_organizations',
  text: 'select id from organizations where id = any($1) order by id for no key update skip locked',
};

/** Waits for none, so that two of these, or one and a call, never wait for each other. */
async function lockFree(db: Knex, members: readonly Member[]): Promise<Member[]> {
  const ids = members.map(({ ctx }) => ctx.organization.id);
  const locked = new Set((await execute<{ id: number }>(db, LOCK_FREE, [ids])).map(({ id }) => id));
  const free = members.filter(({ ctx }) => locked.has(ctx.organization.id));
  for (const { ctx } of free) keepLock({ ...ctx, db });
  return free;
}

/** The members of a shared transaction, which wait for each other before they take what all others want. */
interface Meeting {
  coming: number;
  waiting: (() => void)[];
}

const meetings = new WeakMap<Knex, Meeting>();

/**
 * Before a lock that many wait for: all others in a shared transaction have come as far, or have ended. None of them
 * then waits for another lock while it is held.
 */
export async function meetOthers({ db }: Pick<Context, 'db'>): Promise<void> {
  const meeting = meetings.get(db);
  if (!meeting) return;
  const met = new Promise<void>((resolve) => void meeting.waiting.push(resolve));
  goOnTogether(meeting);
  await met;
}

function leave(meeting: Meeting): void {
  meeting.coming--;
  goOnTogether(meeting);
}

function goOnTogether(meeting: Meeting): void {
  if (meeting.waiting.length >= meeting.coming) for (const goOn of meeting.waiting.splice(0)) goOn();
}
