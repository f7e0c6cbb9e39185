import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agenda } from 'agenda';
import pg from 'pg';
import { IDLE_MS } from './database.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { findDueNames, ReconnectingBackend, WakeChannel } from './jobs/agenda-parts.ts';
import { type JobDefinition, type ObserveRun, performJob, WorkerStoppingError } from './jobs/perform.ts';
import { QueueSlots } from './jobs/queue-slots.ts';
import type { Logger } from './logger.ts';
import { startLoop } from './loop.ts';

export type { JobDefinition, JobRun, ObserveRun, RunEnd } from './jobs/perform.ts';

export interface JobWorker {
  /** Jobs of these names were enqueued: poll now instead of later. Without names: poll for all. */
  wake(names?: readonly string[]): void;
  /**
   * Takes no new jobs, gives running ones this long to finish, then aborts them and releases them for other workers.
   */
  drain(timeoutMs: number): Promise<void>;
}

export interface JobWorkerOptions {
  /**
   * A direct or pooled connection; one pool of this worker's own, so that jobs cannot use up the connections of its
   * supervision.
   */
  url: string;
  log: Logger;
  definitions: readonly JobDefinition[];
  /** How many jobs of a queue run at once, all names together. Default: as many as the definitions allow. */
  queues?: Readonly<Record<string, number>>;
  /** Counts, traces and reports runs. */
  observe?: ObserveRun;
  /** A job whose worker did not renew its lease for this long goes to others: the worker has died. */
  leaseMs?: number;
  pollMs?: number;
}

const LEASE_MS = 30_000;
const POLL_MS = 1000;
const POOL_MAX = 5;
const STATEMENT_TIMEOUT_MS = 10_000;
const SETTLE_MS = 2000;

/** Runs the jobs of `agenda_jobs` whose names are defined here, each until it succeeds or its attempts are used up. */
export function startJobWorker(options: JobWorkerOptions): JobWorker {
  const { url, log, definitions, queues = {}, leaseMs, pollMs = POLL_MS, observe = () => () => {} } = options;
  const name = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const pool = createPool(url, log);
  const lockLifetime = leaseMs ?? LEASE_MS;
  const slots = new QueueSlots(definitions, queues, lockLifetime);
  const backend = new ReconnectingBackend(pool, log, slots, pollMs);
  const channel = new WakeChannel();
  const agenda = new Agenda({
    backend,
    name,
    notificationChannel: channel,
    // Its poll does work for each name, also where nothing is due: `poll` below does not.
    processEvery: Math.max(pollMs, lockLifetime),
    defaultLockLifetime: lockLifetime,
    // As many as all definitions together allow: a job that is locked but must wait would outlive its lock and never
    // leave.
    maxConcurrency: definitions.reduce((sum, { concurrency }) => sum + concurrency, 1),
  });
  agenda.on('error', (error) => log.warn({ err: error }, 'jobs: supervision failed'));

  const running = new Set<AbortController>();
  for (const definition of definitions) {
    const { concurrency } = definition;
    agenda.define(
      definition.name,
      // One parameter: Agenda would take a second one for a callback.
      async (job) => {
        const id = String(job.attrs._id);
        slots.start(id);
        try {
          await performJob({ pool, log, leaseMs: lockLifetime, running, observe }, definition, job);
        } finally {
          slots.free(id);
        }
      },
      { concurrency, lockLimit: concurrency },
    );
  }
  // Agenda would look for more only at its next poll. It forgets a finished job just after reporting it.
  agenda.on('complete', ({ attrs }) => setImmediate(() => channel.wake(slots.next(attrs.name))));
  const started = agenda.start();

  const allNames = definitions.map((definition) => definition.name);
  async function poll(): Promise<boolean> {
    const now = Date.now();
    const period = { until: new Date(now + pollMs), lockDeadline: new Date(now - lockLifetime) };
    channel.wake(await findDueNames(pool, allNames, period));
    return false;
  }
  const polling = started.then(() => startLoop({ name: 'jobs', everyMs: pollMs, log, round: poll }));

  let draining: Promise<void> | undefined;

  async function drain(timeoutMs: number): Promise<void> {
    backend.stopRetrying();
    void (await polling).stop();
    const { timedOut } = await agenda.drain({ timeout: timeoutMs, closeConnection: false });
    if (timedOut) {
      for (const controller of running) controller.abort(new WorkerStoppingError());
    }
    // A job that was being locked when the stop began is not yet ours to release.
    const isBusy = () => pool.idleCount < pool.totalCount || pool.waitingCount > 0;
    for (let waitedMs = 0; waitedMs < SETTLE_MS && isBusy(); waitedMs += 10) await sleep(10);
    await release(pool, name).catch((error: unknown) => log.warn({ err: error }, 'jobs: locks could not be released'));
    await pool.end();
  }

  return {
    wake: (names) => channel.wake(names ?? allNames),
    drain: (timeoutMs) => (draining ??= drain(timeoutMs)),
  };
}

/** A job that stays locked would wait for the end of its lease, and a started one would never be due again. */
async function release(pool: pg.Pool, name: string): Promise<void> {
  await pool.query(
    `update agenda_jobs set locked_at = null, next_run_at = coalesce(next_run_at, now()),
       starts = case when next_run_at is null then greatest(starts - 1, 0) else starts end, started_at = null
     where last_modified_by = $1 and locked_at is not null`,
    [name],
  );
}

/** Every connection has an error handler, idle or not: without one, a restart of Postgres ends the process. */
function createPool(url: string, log: Logger): pg.Pool {
  const pool = new pg.Pool({
    ...parseDatabaseUrl(url),
    application_name: 'rentapi jobs',
    max: POOL_MAX,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: 5000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'jobs: connection lost'));
  pool.on('connect', (client) => client.on('error', () => {})); // its query rejects, or the pool reports it
  return pool;
}
