import type { Ports } from './context.ts';
import type { Feed } from './events/feed.ts';
import { startSequencer } from './events/sequencer.ts';
import { startDispatcher } from './jobs/dispatcher.ts';
import type { Queue } from './jobs/job.ts';
import { startScheduler } from './jobs/scheduler.ts';
import { startWorker } from './jobs/worker.ts';
import { startDeliverer } from './slices/webhooks/delivery/deliverer.ts';
import { startFanOut } from './slices/webhooks/delivery/fan-out.ts';

export interface WorkerOptions {
  /** The queues whose jobs run here. Default: all. */
  queues?: readonly Queue[] | undefined;
  /** How long a job stays with its worker after the worker died. */
  leaseMs?: number | undefined;
  /** Hears of events that got their position here. */
  onSequenced?: ((notification: string) => void) | undefined;
}

/** How long running jobs may continue once their process begins to stop. */
const DRAIN_MS = 15_000;

/** What a process that serves clients runs: the event feed for sockets. */
export function startEventFeed({ feed, notifications }: Ports): { feed: Feed; stop(): Promise<void> } {
  const subscription = notifications.subscribe({
    channels: { sequenced: (notification) => feed.wake(notification) },
    onListening: () => feed.wake(),
  });
  return {
    feed,
    async stop() {
      subscription.unsubscribe();
      await feed.stop();
    },
  };
}

/**
 * What a worker runs: it gives events their position, moves their work to the queue, does it, and keeps the schedules.
 */
export function startJobProcessing(
  ports: Ports,
  directUrl: string,
  { queues, leaseMs, onSequenced }: WorkerOptions = {},
): { stop(): Promise<void> } {
  const { database, log, notifications } = ports;
  const dispatcher = startDispatcher({ database, log });
  const sequencer = startSequencer({ url: directUrl, log, onSequenced, onWaiting: dispatcher.wake });
  const worker = startWorker(ports, { url: directUrl, queues, leaseMs });
  const scheduler = startScheduler({ database, log, jobs: worker.jobs });
  const webhooks = !queues || queues.includes('webhooks') ? startWebhooks(ports) : null;
  const wake = () => {
    sequencer.wake();
    dispatcher.wake();
  };
  const subscription = notifications.subscribe({
    channels: { recorded: wake, enqueued: (names) => worker.wake(names ? names.split(',') : undefined) },
    onListening() {
      wake();
      worker.wake();
    },
  });
  return {
    async stop() {
      subscription.unsubscribe();
      const loops = [sequencer, dispatcher, scheduler, ...(webhooks ? [webhooks] : [])];
      await Promise.all([...loops.map((loop) => loop.stop()), worker.drain(DRAIN_MS)]);
    },
  };
}

/** Turns events into deliveries, and sends them. */
function startWebhooks(ports: Ports): { stop(): Promise<void> } {
  const fanOut = startFanOut(ports);
  const deliverer = startDeliverer(ports);
  const subscription = ports.notifications.subscribe({
    channels: { sequenced: fanOut.wake, deliveries: deliverer.wake },
    onListening() {
      fanOut.wake();
      deliverer.wake();
    },
  });
  return {
    async stop() {
      subscription.unsubscribe();
      await Promise.all([fanOut.stop(), deliverer.stop()]);
    },
  };
}

/** Both, for one process that does everything. */
export function startAll(
  ports: Ports,
  directUrl: string,
  options: WorkerOptions = {},
): { feed: Feed; stop(): Promise<void> } {
  const following = startEventFeed(ports);
  const working = startJobProcessing(ports, directUrl, { ...options, onSequenced: following.feed.wake });
  return {
    feed: following.feed,
    async stop() {
      await Promise.all([following.stop(), working.stop()]);
    },
  };
}
