import type { Knex, Statement } from '@rentapi/platform/database';
import { type Limiter, LimiterUnavailableError } from '@rentapi/platform/limiter';
import type { Logger } from '@rentapi/platform/logger';
import { Counter, Gauge, Histogram, measurePool, measureRows, Registry } from '@rentapi/platform/metrics';

/** Metrics of the product. Labels are names from the code (procedures, buckets, error codes), never ids or paths. */
export type Metrics = ReturnType<typeof createMetrics>;

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const JOB_DURATION_BUCKETS_S = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];
const ROWS_EVERY_MS = 5000;
const ROWS_TIMEOUT_MS = 2000;
/** Counting stops here: the exact number is of no use, and counting costs time for every row. */
const MAX_COUNTED = 100_000;

const counted = (rows: string): string =>
  `(select count(*) from (select from ${rows} limit ${MAX_COUNTED}) as found)::double precision`;
const age = (column: string, rows: string): string =>
  `coalesce((select extract(epoch from now() - ${column}) from ${rows} limit 1), 0)::double precision`;

/** Each query reads an index, so a long queue does not slow it down. */
export const QUEUES: Statement = {
  text: `
  /* across organizations */
  select ${counted('outbox')} as rentapi_outbox_depth,
         ${age('available_at', 'outbox order by id')} as rentapi_outbox_oldest_seconds,
         ${age('created_at', 'events where position is null order by id')} as rentapi_unsequenced_oldest_seconds,
         ${counted('agenda_jobs where next_run_at <= now() and locked_at is null')} as rentapi_jobs_due,
         ${counted('agenda_jobs where locked_at is not null')} as rentapi_jobs_running,
         ${counted('dead_jobs')} as rentapi_jobs_dead`,
};

/** What the check of the books has found. 0 is 1970: there was none yet. */
const BOOKS: Statement = {
  text: 'select coalesce(extract(epoch from checked_at), 0)::double precision as rentapi_billing_checked_at_seconds from billing_checks',
};
const FAULTS: Statement = {
  text: `
    /* across organizations */
    select kind, sum(count)::double precision as rentapi_billing_faults from billing_faults group by kind`,
};

/** The connection pool, the queues in the database and the books, for the process that serves the registry. */
export function measureDatabase({ registry }: Metrics, database: Knex, log: Logger): void {
  measurePool(registry, database);
  const rows = {
    database,
    everyMs: ROWS_EVERY_MS,
    timeoutMs: ROWS_TIMEOUT_MS,
    onError: (error: unknown) => log.warn({ err: error }, 'what is in the database is not measured'),
  };
  measureRows(registry, {
    ...rows,
    statement: QUEUES,
    gauges: {
      rentapi_outbox_depth: `Work that is not yet in the queue, counted up to ${MAX_COUNTED}.`,
      rentapi_outbox_oldest_seconds: 'Age of the oldest work that is not yet in the queue.',
      rentapi_unsequenced_oldest_seconds: 'Age of the oldest event that has no position yet.',
      rentapi_jobs_due: `Jobs that are due and not yet started, counted up to ${MAX_COUNTED}.`,
      rentapi_jobs_running: 'Jobs that a worker is running.',
      rentapi_jobs_dead: `Jobs whose attempts are used up, counted up to ${MAX_COUNTED}.`,
    },
  });
  measureRows(registry, {
    ...rows,
    statement: BOOKS,
    gauges: {
      rentapi_billing_checked_at_seconds:
        'Since when the books of all organizations have been checked, as a Unix time.',
    },
  });
  measureRows(registry, {
    ...rows,
    statement: FAULTS,
    label: 'kind',
    gauges: { rentapi_billing_faults: 'What does not add up in the books, by kind; no series where everything does.' },
  });
}

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: 'rentapi_requests_total',
      help: 'Calls by procedure, transport and status; procedure "none" counts requests without a procedure.',
      labelNames: ['procedure', 'transport', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'rentapi_request_duration_seconds',
      help: 'How long a call took, from admission to its answer.',
      labelNames: ['procedure', 'transport'],
      buckets: DURATION_BUCKETS_S,
      registers,
    }),
    usageCalls: new Counter({
      name: 'rentapi_usage_calls_total',
      help: 'Calls for the usage log: written, or dropped because it could not be written in time.',
      labelNames: ['outcome'],
      registers,
    }),
    limiterDecisions: new Counter({
      name: 'rentapi_limiter_decisions_total',
      help: 'Decisions by the bucket that was strictest: allowed, refused, or unavailable where the shared buckets could not be read.',
      labelNames: ['bucket', 'decision'],
      registers,
    }),
    replays: new Counter({
      name: 'rentapi_idempotency_replays_total',
      help: 'Calls answered from memory for their Idempotency-Key.',
      labelNames: ['procedure'],
      registers,
    }),
    refusals: new Counter({
      name: 'rentapi_refusals_total',
      help: 'Refused calls of operations that attackers could guess at, such as login, by error code.',
      labelNames: ['procedure', 'code'],
      registers,
    }),
    jobs: new Counter({
      name: 'rentapi_jobs_total',
      help: 'Runs of jobs by how they ended: succeeded, failed (to be tried again), dead, lost (to another worker) or stopped.',
      labelNames: ['job', 'outcome'],
      registers,
    }),
    jobDurations: new Histogram({
      name: 'rentapi_job_duration_seconds',
      help: 'How long a run of a job took.',
      labelNames: ['job'],
      buckets: JOB_DURATION_BUCKETS_S,
      registers,
    }),
    openSockets: new Gauge({
      name: 'rentapi_sockets_open',
      help: 'Connections that were upgraded to a socket.',
      registers,
    }),
  };
}

/** The same limiter, with its decisions counted. */
export function observeLimiter(limiter: Limiter, { limiterDecisions }: Metrics): Limiter {
  type Taken = Awaited<ReturnType<Limiter['take']>>;
  const count = (taken: Taken): Taken => {
    limiterDecisions.inc({
      bucket: taken.strictest.bucket.name,
      decision: taken.allowed ? 'allowed' : 'refused',
    });
    return taken;
  };
  return {
    take(...asked) {
      const taken = limiter.take(...asked);
      if (!(taken instanceof Promise)) return count(taken);
      return taken.then(count, (error: unknown) => {
        // Which bucket was strictest is unknown: the first one counts for all.
        const bucket = asked[0][0]!.name;
        if (error instanceof LimiterUnavailableError) limiterDecisions.inc({ bucket, decision: 'unavailable' });
        throw error;
      });
    },
    close: () => limiter.close(),
  };
}
