import { setTimeout as sleep } from 'node:timers/promises';
import { hasDemoAccounts } from '@rentapi/api/demo-data';
import { startFollowing, startWorking } from '@rentapi/api/outbox/work';
import { closePorts } from '@rentapi/api/ports';
import type { Env } from '@rentapi/platform/env';
import { announce } from './announce.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { open } from './open.ts';
import { prepareAccounts, prepareDatabase } from './prepare.ts';
import { say } from './say.ts';

interface ServeOptions {
  /** Whether this process also does the work that requests cause. */
  works: boolean;
  /** Resolves when the process is asked to stop. */
  stopped: Promise<void>;
}

/** Serves clients until it is asked to stop; then requests, sockets and jobs under way end first, the database last. */
export async function serve(env: Env, { works, stopped }: ServeOptions): Promise<number> {
  const opened = await open(env, say);
  const { ports, directUrl, embedded, mailbox } = opened;
  let http: HttpServer | undefined;
  let following: ReturnType<typeof startFollowing> | undefined;
  let working: ReturnType<typeof startWorking> | undefined;
  try {
    http = await createHttpServer(opened);
    await prepareDatabase(opened);
    await prepareAccounts(opened);
    following = startFollowing(ports, directUrl);
    if (works) working = startWorking(ports, directUrl);
    http.serve();
    announce(env, http.port, mailbox !== null, await hasDemoAccounts(ports.database));
    await stopped;
    say('Stopping: finishing the requests under way.');
    ports.process.draining = true;
    // Readiness says no from here on. A balancer needs a moment to see it, and sends requests until then; jobs end meanwhile.
    working?.stop().catch(() => {}); // a failure is met below, where it is waited for
    await sleep(env.SHUTDOWN_GRACE_MS);
    return 0;
  } finally {
    await Promise.all([http?.close(), working?.stop()]);
    await following?.stop();
    await closePorts(ports);
    await embedded?.stop();
  }
}
