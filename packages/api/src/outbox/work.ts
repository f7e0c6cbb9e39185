import type { Ports } from '../context.ts';
import { startDispatcher } from './dispatcher.ts';
import { type Feed, startFeed } from './feed.ts';
import { startListener } from './listener.ts';
import { startStamper } from './stamper.ts';

/** Everything that follows the events: what stamps them, what does their work, what tells them to sockets. */
export function startWork(ports: Ports, directUrl: string): { feed: Feed; stop(): Promise<void> } {
  const { database, log } = ports;
  const stamper = startStamper({ url: directUrl, log });
  const dispatcher = startDispatcher(ports);
  const feed = startFeed({ database, log });
  const listener = startListener({
    url: directUrl,
    log,
    channels: {
      recorded: () => {
        stamper.wake();
        dispatcher.wake();
      },
      stamped: () => feed.wake(),
    },
  });
  return {
    feed,
    async stop() {
      await listener.close();
      await Promise.all([stamper.stop(), dispatcher.stop(), feed.stop()]);
    },
  };
}
