import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { PostgresBackend } from '@agendajs/postgres-backend';
import { BaseNotificationChannel, type JobId, type JobRepository } from 'agenda';
import type pg from 'pg';
import { backoffMs } from '../backoff.ts';
import type { Logger } from '../logger.ts';
import type { QueueSlots } from './queue-slots.ts';

const RETRY = { firstMs: 200, maxMs: 2000 };

/**
 * The names of jobs that are due. What a worker had under way when it died becomes due before all that waits: Agenda
 * takes it last, so a queue that never empties would keep it for ever.
 */
const DUE_NAMES = `
  with freed as (
    update agenda_jobs set locked_at = null, next_run_at = coalesce(next_run_at, created_at)
    where name = any ($1::text[]) and not disabled and locked_at <= $3
    returning name
  )
  select name from unnest($1::text[]) name
  where exists (select from agenda_jobs j where j.name = name.name and not disabled and locked_at is null and next_run_at <= $2)
     or name in (select freed.name from freed)`;

/** The names among these that have work before `until`. A single one is not worth a statement of its own. */
export async function findDueNames(
  pool: pg.Pool,
  names: readonly string[],
  { until, lockDeadline }: { until: Date; lockDeadline: Date },
): Promise<readonly string[]> {
  if (names.length <= 1) return names;
  const { rows } = await pool.query<{ name: string }>(DUE_NAMES, [names, until, lockDeadline]);
  return rows.map(({ name }) => name);
}

const LOCK_AHEAD_MS = 1000;

/**
 * Agenda reports a first connection that fails as an unhandled rejection, which ends the process. This one tries again.
 * Agenda also locks what is due until its next poll, which comes seldom: this one locks no more than the next moment.
 * Agenda also asks for the next job of each name at every poll, all in one turn of the loop. This one finds the names
 * that have work in one statement.
 * Agenda also saves each job at its start and at its end: a run does that itself, see `performJob`.
 */
export class ReconnectingBackend extends PostgresBackend {
  private readonly log: Logger;
  private stopped = false;

  constructor(pool: pg.Pool, log: Logger, slots: QueueSlots, lockAheadMs = LOCK_AHEAD_MS) {
    // A migration creates the table: processes that create it at the same time crash each other.
    super({ pool, ensureSchema: false, disableNotifications: true });
    this.log = log;
    const { repository } = this;
    const lockNext = repository.getNextJobToRun.bind(repository);
    const hasWork = askTogether(pool);
    repository.getNextJobToRun = async (name, nextScanAt, ...rest) => {
      const until = new Date(Math.min(nextScanAt.getTime(), Date.now() + lockAheadMs));
      return (await hasWork(name, until, ...rest)) && !this.stopped
        ? slots.take(name, () => lockNext(name, until, ...rest))
        : undefined;
    };
    repository.saveJobState = async () => {};
    const unlock = repository.unlockJob.bind(repository);
    // Agenda does not wait for it, so a failure would end the process. The job is free when its lease ends.
    repository.unlockJob = async (job) => {
      slots.free(String(job._id));
      await unlock(job).catch((error: unknown) => log.warn({ err: error }, 'jobs: a job could not be given back'));
    };
  }

  stopRetrying(): void {
    this.stopped = true;
  }

  override async connect(): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        return await super.connect();
      } catch (error) {
        if (this.stopped) return;
        this.log.warn({ err: error }, 'jobs: no database yet');
        await sleep(backoffMs(failures, RETRY));
      }
    }
  }
}

type Question = Parameters<JobRepository['getNextJobToRun']>;

/** Answers the questions of one turn of the loop together. */
function askTogether(pool: pg.Pool): (...question: Question) => Promise<boolean> {
  let asked: Question[] = [];
  let answer: Promise<ReadonlySet<string>> | undefined;

  async function ask(): Promise<ReadonlySet<string>> {
    await nextTurn();
    const questions = asked;
    asked = [];
    answer = undefined;
    const names = [...new Set(questions.map(([name]) => name))];
    const [, until, lockDeadline] = questions.at(-1)!; // a moment later than the first
    return new Set(await findDueNames(pool, names, { until, lockDeadline }));
  }

  return async (...question) => {
    asked.push(question);
    return (await (answer ??= ask())).has(question[0]);
  };
}

/**
 * How Agenda learns of new work. Its own channel sends three NOTIFYs for each run and none for jobs that are enqueued
 * in a transaction. This one passes on the notifications of this process.
 */
export class WakeChannel extends BaseNotificationChannel {
  async connect(): Promise<void> {
    this.setState('connected');
  }

  async disconnect(): Promise<void> {
    this.handlers.clear();
    this.setState('disconnected');
  }

  async publish(): Promise<void> {}

  wake(names: readonly string[]): void {
    for (const jobName of names) {
      void this.notifyHandlers({ jobId: '' as JobId, jobName, nextRunAt: null, priority: 0, timestamp: new Date() });
    }
  }
}
