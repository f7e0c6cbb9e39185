import type { Job } from 'agenda';
import type pg from 'pg';
import { CENSOR, redactText } from '../logger/redact.ts';
import type { Logger } from '../logger.ts';

/** One run of a job. It may not be the first, so it must be idempotent. */
export interface JobRun {
  id: string;
  data: unknown;
  /** 1 for the first; a run whose worker was killed counts too. */
  attempt: number;
  /** Reports progress, from 0 to 1 where that is known: `timeoutMs` starts again. */
  touch(progress?: number): void;
  /** Aborted when the run took too long, lost its lease, or its worker stops: its result is no longer used. */
  signal: AbortSignal;
}

export interface JobDefinition {
  name: string;
  queue: string;
  /** How many of these run at once in one worker. */
  concurrency: number;
  /** After this many starts the job is dead. */
  attempts: number;
  /** The longest a run may go without `touch()`. */
  timeoutMs: number;
  /** The pause after the nth failure. */
  backoffMs(failures: number): number;
  run(run: JobRun): Promise<void>;
}

/**
 * How a run ended. `lost`: another worker has taken it over. `stopped`: its worker stops, and it starts again
 * elsewhere.
 */
export type RunEnd = { outcome: 'succeeded' | 'stopped' } | { outcome: 'failed' | 'dead' | 'lost'; error: unknown };

/** Called when a run begins; the function that it returns is called when that run ends. */
export type ObserveRun = (run: { name: string; id: string; attempt: number }) => (end: RunEnd) => void;

interface Supervision {
  pool: pg.Pool;
  log: Logger;
  leaseMs: number;
  running: Set<AbortController>;
  observe: ObserveRun;
}

/**
 * Called by Agenda with a job it has locked. Saves what became of it: every statement names the lease, so that a worker
 * that has lost it changes nothing.
 */
export async function performJob(supervision: Supervision, definition: JobDefinition, job: Job): Promise<void> {
  const { pool, log, running } = supervision;
  const { name, attempts } = definition;
  const id = String(job.attrs._id);
  const attempt = await countStart(pool, id, job.attrs.lockedAt);
  const ended = supervision.observe({ name, id, attempt });
  try {
    // Agenda counts only failures it sees, and it does not see a job that kills its worker.
    if (attempt > attempts) throw new Error(`started ${attempts} times without an end: its worker died each time`);
    const controller = new AbortController();
    running.add(controller);
    const watch = watchOver(supervision, definition, job, controller);
    try {
      const run = definition.run({ id, data: job.attrs.data, attempt, touch: watch.touch, signal: controller.signal });
      await Promise.race([run, watch.aborted]);
    } finally {
      running.delete(controller);
      await watch.end();
    }
    await remove(pool, job);
    ended({ outcome: 'succeeded' });
  } catch (error) {
    // No failure: the worker releases the job unchanged when it stops. Agenda would count a failed attempt if this
    // returned.
    if (error instanceof WorkerStoppingError) {
      ended({ outcome: 'stopped' });
      return new Promise(() => {});
    }
    const lost = error instanceof LeaseLostError;
    const dead = attempt >= attempts && !lost;
    log.error({ err: error, job: name, id, attempt, dead }, 'job failed');
    ended({ outcome: lost ? 'lost' : dead ? 'dead' : 'failed', error });
    // What is not saved now is free again when its lease ends.
    if (!lost && attempt <= attempts)
      await noteFailure(pool, job, errorText(error), dead ? null : definition.backoffMs(failuresOf(job))).catch(
        (failure: unknown) => log.warn({ err: failure, job: name, id }, 'jobs: failure not saved'),
      );
    if (!dead) throw error;
    await moveToDeadJobs(pool, job, errorText(error)).catch((failure: unknown) => {
      log.warn({ err: failure, job: name, id }, 'jobs: not moved to the dead jobs');
      throw failure;
    });
  }
}

/** With the one that has just been seen. */
const failuresOf = ({ attrs }: Job): number => (attrs.failCount ?? 0) + 1;

/** The reason for aborting runs when their worker can no longer wait. */
export class WorkerStoppingError extends Error {
  override name = 'WorkerStoppingError';
}

/** Another worker has taken over the run, because its lease was not renewed in time. */
class LeaseLostError extends Error {
  override name = 'LeaseLostError';
}

/** Renews the lease while the run makes progress; aborts the run when it does not, or when the lease is gone. */
function watchOver(
  { pool, log, leaseMs }: Supervision,
  { name, timeoutMs }: JobDefinition,
  job: Job,
  controller: AbortController,
) {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {}); // the run may have ended
  controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  let touchedAt = performance.now();
  let progress: number | null = null;
  let saved: number | null = null;
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const { _id, lockedAt } = job.attrs;
    const now = new Date();
    const saving = progress;
    const { rowCount } = await pool.query(
      'update agenda_jobs set locked_at = $3, progress = $4 where id = $1 and locked_at = $2',
      [_id, lockedAt, now, saving],
    );
    if (rowCount === 1) {
      job.attrs.lockedAt = now;
      saved = saving;
    } else controller.abort(new LeaseLostError(`${name}: another worker has taken over`));
  }

  const timer = setInterval(
    () => {
      if (performance.now() - touchedAt > timeoutMs) {
        controller.abort(new Error(`${name} took longer than ${timeoutMs} ms`));
      } else if (Date.now() - Number(job.attrs.lockedAt) > leaseMs) {
        controller.abort(new LeaseLostError(`${name}: the lease could not be renewed`));
      } else if (!renewing && (progress !== saved || Date.now() - Number(job.attrs.lockedAt) > leaseMs / 3)) {
        renewing = renew()
          .catch((error: unknown) => log.warn({ err: error, job: name }, 'jobs: lease not renewed'))
          .finally(() => {
            renewing = undefined;
          });
      }
    },
    Math.min(leaseMs / 10, timeoutMs / 10),
  );

  return {
    aborted,
    touch: (done?: number) => {
      touchedAt = performance.now();
      if (done !== undefined) progress = Math.min(Math.max(done, 0), 1);
    },
    /** A renewal in progress changes the lease by which the row is found, so the end of the job waits for it. */
    async end() {
      clearInterval(timer);
      await renewing;
    },
  };
}

/** How many attempts that did not succeed are kept: the newest. */
const MAX_LOG = 50;
const MAX_ERROR = 1000;
const MAIL_ADDRESS = /[^\s<>()"',;:@]+@[^\s<>()"',;:@]+/g;

/** What operators see of an error: no credentials, and no addresses of people. */
function errorText(error: unknown): string {
  const text = String(error).slice(0, 4 * MAX_ERROR);
  return redactText(text).replace(MAIL_ADDRESS, CENSOR).slice(0, MAX_ERROR);
}

/** The log with one more attempt, whose start, outcome, end and error are these expressions. */
const logged = (outcome: 'FAILED' | 'LOST', endedAt: string, error: string): string =>
  `case when jsonb_array_length(log) < ${MAX_LOG} then log else log - 0 end || jsonb_build_array(jsonb_build_object(
     'attempt', starts, 'outcome', '${outcome}', 'startedAt', started_at, 'endedAt', ${endedAt}, 'error', ${error}))`;

/** A start of which no end is known was that of a worker that died, or lost its lease. */
async function countStart(pool: pg.Pool, id: string, lockedAt: Date | undefined): Promise<number> {
  const { rows } = await pool.query<{ starts: number }>(
    `update agenda_jobs set starts = starts + 1, started_at = now(), last_run_at = now(), next_run_at = null,
       progress = null, log = case when started_at is null then log else ${logged('LOST', 'null', 'null')} end
     where id = $1 and locked_at = $2 returning starts`,
    [id, lockedAt],
  );
  if (!rows[0]) throw new LeaseLostError('another worker has taken over before the start');
  return rows[0].starts;
}

/** Frees the job for its next attempt; without one it stays locked until it is moved. */
async function noteFailure(pool: pg.Pool, job: Job, error: string, pauseMs: number | null): Promise<void> {
  await pool.query(
    `update agenda_jobs set started_at = null, log = ${logged('FAILED', 'now()', '$3::text')},
       fail_count = $4, failed_at = now(), next_run_at = now() + $5::float8 * interval '1 millisecond',
       locked_at = case when $5::float8 is null then locked_at end
     where id = $1 and locked_at = $2`,
    [job.attrs._id, job.attrs.lockedAt, error, failuresOf(job), pauseMs],
  );
}

/**
 * Agenda would remove the row only after it has reported the job as complete, and a drain that waits for the report
 * would not wait for the removal.
 */
async function remove(pool: pg.Pool, { attrs }: Job): Promise<void> {
  const { rowCount } = await pool.query(
    `with done as (delete from agenda_jobs where id = $1 and locked_at = $2 returning *)
     insert into done_jobs (id, name, starts, log, created_at, started_at)
     select number, name, starts, log, created_at, started_at from done`,
    [attrs._id, attrs.lockedAt],
  );
  if (rowCount !== 1) throw new LeaseLostError(`${attrs.name}: the lease was gone before its end was saved`);
}

/** Moves a job from the queue to the table that operators read. */
async function moveToDeadJobs(pool: pg.Pool, { attrs }: Job, reason: string): Promise<void> {
  const { rowCount } = await pool.query(
    `with dead as (delete from agenda_jobs where id = $1 and locked_at = $2 returning *)
     insert into dead_jobs (id, name, unique_key, data, starts, log, reason, created_at)
     select number, name, unique_key, data, starts, log, $3, created_at from dead`,
    [attrs._id, attrs.lockedAt, reason],
  );
  if (rowCount !== 1)
    throw new LeaseLostError(`${attrs.name}: the lease was gone before it could be moved to the dead jobs`);
}
