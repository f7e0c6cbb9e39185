import { setTimeout as sleep } from 'node:timers/promises';
import { hasDemoAccounts } from '@rentapi/api/demo-data';
import { adoptPort, closePorts } from '@rentapi/api/ports';
import { startEventFeed, startJobProcessing } from '@rentapi/api/processes';
import { collectGarbage } from '@rentapi/platform/collect-garbage';
import type { Env } from '@rentapi/platform/env';
import type { Redis } from '@rentapi/platform/redis';
import { bootstrap } from './bootstrap.ts';
import { type FakeProviders, openFakeProviders } from './dev/fake-providers.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { prepareAccounts, prepareDatabase } from './prepare.ts';
import { printLine } from './print-line.ts';
import { printBanner } from './startup-banner.ts';

interface ServeOptions {
  /** Whether this process also does the work that requests cause. */
  runsJobs: boolean;
  /** Resolves when the process must stop. */
  stopped: Promise<void>;
}

const REDIS_WAIT_MS = 1000;

/** Whether Redis, where one is configured, has answered: it is connected to in the background. */
async function hasAnswered(redis: Redis | null): Promise<boolean> {
  for (const until = Date.now() + REDIS_WAIT_MS; redis && !redis.reached && Date.now() < until; ) await sleep(50);
  return redis?.reached ?? true;
}

/** Serves clients until a stop signal; then open requests, sockets and running jobs end first, the database last. */
export async function serve(env: Env, options: ServeOptions): Promise<number> {
  // Fakes are in the memory of one process: jobs of another would not find what was made here.
  const fakes = options.runsJobs ? await openFakeProviders(env) : null;
  try {
    return await serveWith(fakes, env, options);
  } finally {
    await fakes?.close();
  }
}

async function serveWith(fakes: FakeProviders | null, env: Env, { runsJobs, stopped }: ServeOptions): Promise<number> {
  const opened = await bootstrap(env, printLine, { payments: fakes?.payments });
  const { ports, directUrl, embedded, mailbox } = opened;
  let http: HttpServer | undefined;
  let following: ReturnType<typeof startEventFeed> | undefined;
  let working: ReturnType<typeof startJobProcessing> | undefined;
  try {
    http = await createHttpServer(opened);
    adoptPort(ports, http.port);
    fakes?.deliverTo(http.port);
    await prepareDatabase(opened);
    await prepareAccounts(opened);
    following = startEventFeed(ports);
    if (runsJobs) working = startJobProcessing(ports, directUrl);
    await collectGarbage(); // while it delays no call
    http.serve();
    printBanner(ports.env, http.port, {
      mailbox: mailbox !== null && !env.production, // /dev/mail answers on a developer's machine only
      demo: await hasDemoAccounts(ports.database),
      fakePayments: fakes !== null,
      redisMissing: !(await hasAnswered(ports.redis)),
    });
    await stopped;
    printLine('Stopping: finishing the requests under way.');
    ports.process.draining = true;
    // Readiness is 503 from here on. A balancer needs a moment to notice, and sends requests until then.
    working?.stop().catch(() => {}); // a failure surfaces below, where the promise is awaited
    await sleep(env.SHUTDOWN_GRACE_MS);
    return 0;
  } finally {
    await Promise.all([http?.close(), working?.stop()]);
    await following?.stop();
    await closePorts(ports);
    await embedded?.stop();
  }
}
