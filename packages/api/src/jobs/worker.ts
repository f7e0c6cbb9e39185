import { backoffMs } from '@rentapi/platform/backoff';
import type { Env } from '@rentapi/platform/env';
import { type JobDefinition, type JobWorker, startJobWorker } from '@rentapi/platform/jobs';
import { type Ports, systemContext } from '../context.ts';
import { type Job, QUEUES, type Queue } from './job.ts';
import { observeRuns } from './observe-runs.ts';
import { startPresence } from './presence.ts';
import { readEvent } from './read-event.ts';

const CONCURRENCY = 10;
/** After so many starts a job is dead, unless it says otherwise. */
export const ATTEMPTS = 20;
const TIMEOUT_MS = 60_000;
const BACKOFF = { firstMs: 2000, maxMs: 3_600_000 };

/** Runs the jobs of these queues, or of all if none is named. */
export function startWorker(
  ports: Ports,
  options: { url: string; queues?: readonly Queue[] | undefined; leaseMs?: number | undefined },
): JobWorker & { jobs: readonly Job[] } {
  const { url, queues = QUEUES, leaseMs } = options;
  const jobs = ports.jobs.all.filter(({ queue }) => queues.includes(queue));
  const concurrency = Object.fromEntries(queues.map((queue) => [queue, concurrencyOf(ports.env, queue)]));
  const definitions = jobs.map((job) => define(ports, job));
  const worker = startJobWorker({
    url,
    log: ports.log,
    definitions,
    queues: concurrency,
    observe: observeRuns(ports),
    ...(leaseMs && { leaseMs }),
  });
  const presence = startPresence({ database: ports.database, log: ports.log, concurrency });
  return {
    ...worker,
    jobs,
    async drain(timeoutMs) {
      await Promise.all([presence.stop(), worker.drain(timeoutMs)]);
    },
  };
}

/** How many jobs of a queue run at once in one process. */
function concurrencyOf(env: Env, queue: Queue): number {
  const settings = {
    webhooks: env.WEBHOOKS_CONCURRENCY,
    emails: env.EMAILS_CONCURRENCY,
    analytics: env.ANALYTICS_CONCURRENCY,
    subscriptions: env.SUBSCRIPTIONS_CONCURRENCY,
    maintenance: env.MAINTENANCE_CONCURRENCY,
  } satisfies Record<Queue, number>;
  return settings[queue];
}

function define(ports: Ports, job: Job): JobDefinition {
  return {
    name: job.name,
    queue: job.queue,
    concurrency: job.concurrency ?? CONCURRENCY,
    attempts: job.attempts ?? ATTEMPTS,
    timeoutMs: job.timeoutMs ?? TIMEOUT_MS,
    backoffMs: job.backoffMs ?? ((failures) => backoffMs(failures, BACKOFF)),
    async run({ id, data, touch, signal }) {
      await job.run(systemContext(ports, `job-${id}`), await inputOf(ports, job, data), { touch, signal });
    },
  };
}

/** What is kept with a job names its input; the input itself is read when it runs. */
async function inputOf(ports: Ports, job: Job, kept: unknown): Promise<unknown> {
  if (job.on) return readEvent(ports, job, (kept as { eventId: number }).eventId);
  if (job.data) return job.data.parse(kept);
  return { at: new Date((kept as { tick: string }).tick) };
}
