import type { Ports } from '../context.ts';
import { startDispatcher } from './dispatcher.ts';
import type { Feed } from './feed.ts';
import type { Queue } from './jobs.ts';
import { startListener } from './listener.ts';
import { startScheduler } from './scheduler.ts';
import { startStamper } from './stamper.ts';
import { startWorker } from './worker.ts';

export interface WorkerOptions {
  /** The queues whose jobs run here; all, if it says nothing. */
  queues?: readonly Queue[] | undefined;
  /** How long a job whose worker died stays with it. */
  leaseMs?: number | undefined;
}

/** How long jobs under way may go on once their process begins to stop. */
const DRAIN_MS = 15_000;

/** What a process needs that serves clients: the events, told to sockets. */
export function startFollowing(ports: Ports, directUrl: string): { feed: Feed; stop(): Promise<void> } {
  const { feed, log } = ports;
  const listener = startListener({ url: directUrl, log, channels: { stamped: () => feed.wake() } });
  return {
    feed,
    async stop() {
      await listener.close();
      await feed.stop();
    },
  };
}

/** What a process does that works: gives events their place, hands their work to the queue, does it, keeps the schedules. */
export function startWorking(
  ports: Ports,
  directUrl: string,
  { queues, leaseMs }: WorkerOptions = {},
): { stop(): Promise<void> } {
  const { database, log } = ports;
  const stamper = startStamper({ url: directUrl, log });
  const dispatcher = startDispatcher({ database, log });
  const worker = startWorker(ports, { url: directUrl, queues, leaseMs });
  const scheduler = startScheduler({ database, log, jobs: worker.jobs });
  const listener = startListener({
    url: directUrl,
    log,
    channels: {
      recorded: () => {
        stamper.wake();
        dispatcher.wake();
      },
      enqueued: (names) => worker.wake(names ? names.split(',') : undefined),
    },
  });
  return {
    async stop() {
      await listener.close();
      await Promise.all([stamper.stop(), dispatcher.stop(), scheduler.stop(), worker.drain(DRAIN_MS)]);
    },
  };
}

/** Both, for one process that does everything. */
export function startWork(
  ports: Ports,
  directUrl: string,
  options: WorkerOptions = {},
): { feed: Feed; stop(): Promise<void> } {
  const following = startFollowing(ports, directUrl);
  const working = startWorking(ports, directUrl, options);
  return {
    feed: following.feed,
    async stop() {
      await Promise.all([following.stop(), working.stop()]);
    },
  };
}
