import type { Job } from 'agenda';
import type pg from 'pg';
import type { Logger } from '../logger.ts';

/** One run of a job. It may not be the first: what it does must not matter when it is done twice. */
export interface JobRun {
  id: string;
  data: unknown;
  /** 1 for the first; a run whose worker was killed counts too. */
  attempt: number;
  /** I am getting on: `timeoutMs` begins anew. */
  touch(): void;
  /** Aborted when the run took too long, lost its lease, or the worker stops: nobody waits for it any more. */
  signal: AbortSignal;
}

export interface JobDefinition {
  name: string;
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

/** How a run ended. `lost`: its place went to another worker; `stopped`: its worker could not wait, and it begins anew elsewhere. */
export type RunEnd = { outcome: 'succeeded' | 'stopped' } | { outcome: 'failed' | 'dead' | 'lost'; error: unknown };

/** Told when a run begins; what it answers is told how that run ended. */
export type ObserveRun = (run: { name: string; id: string; attempt: number }) => (end: RunEnd) => void;

interface Supervision {
  pool: pg.Pool;
  log: Logger;
  leaseMs: number;
  running: Set<AbortController>;
  observe: ObserveRun;
}

/**
 * Called by Agenda with a job it has locked. Returns when the job is gone, done or dead, and throws in every other case: of a run
 * that returns, Agenda saves that it is never due again, and a row that stayed would swallow whatever has its key.
 */
export async function performJob(supervision: Supervision, definition: JobDefinition, job: Job): Promise<void> {
  const { pool, log, running } = supervision;
  const { name, attempts } = definition;
  const id = String(job.attrs._id);
  const attempt = await countStart(pool, id, job.attrs.lockedAt);
  const ended = supervision.observe({ name, id, attempt });
  try {
    // Agenda counts only failures it sees. A job that kills its worker is never seen to fail.
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
    // No failure: whoever stops frees the job as it was. Agenda, told anything, would note a failed attempt.
    if (error instanceof WorkerStoppingError) {
      ended({ outcome: 'stopped' });
      return new Promise(() => {});
    }
    const lost = error instanceof LeaseLostError;
    const dead = attempt >= attempts && !lost;
    log.error({ err: error, job: name, id, attempt, dead }, 'job failed');
    ended({ outcome: lost ? 'lost' : dead ? 'dead' : 'failed', error });
    if (!dead) throw error;
    await bury(pool, job, String(error).slice(0, 1000)).catch((unburied: unknown) => {
      log.warn({ err: unburied, job: name, id }, 'jobs: not buried');
      throw unburied;
    });
  }
}

/** The reason of runs that are aborted because their worker cannot wait for them. */
export class WorkerStoppingError extends Error {
  override name = 'WorkerStoppingError';
}

/** The run's place was given to another worker, after it could not renew its lease in time. */
class LeaseLostError extends Error {
  override name = 'LeaseLostError';
}

/** Renews the lease while the run gets on; aborts it when it does not, or when the lease is gone. */
function watchOver(
  { pool, log, leaseMs }: Supervision,
  { name, timeoutMs }: JobDefinition,
  job: Job,
  controller: AbortController,
) {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {}); // nobody may be waiting any more
  controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  let touchedAt = performance.now();
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const { _id, lockedAt } = job.attrs;
    const now = new Date();
    const { rowCount } = await pool.query('update agenda_jobs set locked_at = $3 where id = $1 and locked_at = $2', [
      _id,
      lockedAt,
      now,
    ]);
    if (rowCount === 1) job.attrs.lockedAt = now;
    else controller.abort(new LeaseLostError(`${name}: another worker has taken over`));
  }

  const timer = setInterval(
    () => {
      if (performance.now() - touchedAt > timeoutMs) {
        controller.abort(new Error(`${name} took longer than ${timeoutMs} ms`));
      } else if (Date.now() - Number(job.attrs.lockedAt) > leaseMs) {
        controller.abort(new LeaseLostError(`${name}: the lease could not be renewed`));
      } else if (!renewing && Date.now() - Number(job.attrs.lockedAt) > leaseMs / 3) {
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
    touch: () => {
      touchedAt = performance.now();
    },
    /** A renewal under way moves the lease by which the row is known: whoever ends the job waits for it. */
    async end() {
      clearInterval(timer);
      await renewing;
    },
  };
}

async function countStart(pool: pg.Pool, id: string, lockedAt: Date | undefined): Promise<number> {
  const { rows } = await pool.query<{ starts: number }>(
    'update agenda_jobs set starts = starts + 1 where id = $1 and locked_at = $2 returning starts',
    [id, lockedAt],
  );
  if (!rows[0]) throw new LeaseLostError('another worker has taken over before the start');
  return rows[0].starts;
}

/**
 * Done. Agenda would save the end first and remove the row after it has said that the job is complete, so that a drain which
 * waits for that never sees the last one go.
 */
async function remove(pool: pg.Pool, { attrs }: Job): Promise<void> {
  const { rowCount } = await pool.query('delete from agenda_jobs where id = $1 and locked_at = $2', [
    attrs._id,
    attrs.lockedAt,
  ]);
  if (rowCount !== 1) throw new LeaseLostError(`${attrs.name}: the lease was gone before its end was noted`);
}

/** Out of the queue, into the table where operators look. */
async function bury(pool: pg.Pool, { attrs }: Job, reason: string): Promise<void> {
  const { rowCount } = await pool.query(
    `with dead as (delete from agenda_jobs where id = $1 and locked_at = $2 returning *)
     insert into dead_jobs (name, unique_key, data, starts, reason, created_at)
     select name, unique_key, data, starts, $3, created_at from dead`,
    [attrs._id, attrs.lockedAt, reason],
  );
  if (rowCount !== 1) throw new LeaseLostError(`${attrs.name}: the lease was gone before it could be buried`);
}
