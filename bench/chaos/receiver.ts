import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** An event that came, under the name of the key that it is about. */
interface ReceivedEvent {
  id: string;
  name: string;
}

/** A delivery whose connection ended before its answer, and when it came again. */
interface CutDelivery {
  at: number;
  againAt?: number;
}

/** Takes webhooks, slowly enough that some are under way at every moment. */
export interface Receiver {
  /** `host:port`. */
  target: string;
  events: readonly ReceivedEvent[];
  cut: ReadonlyMap<string, CutDelivery>;
  close(): Promise<void>;
}

/** Less than the time in which two restarts follow each other. */
const ANSWER_MS = 400;

export async function startReceiver(): Promise<Receiver> {
  const events: ReceivedEvent[] = [];
  const cut = new Map<string, CutDelivery>();
  const server = createServer(async (req, res) => {
    const id = String(req.headers['webhook-id']);
    const cutBefore = cut.get(id);
    res.once('close', () => {
      if (!res.writableFinished && !cut.has(id)) cut.set(id, { at: performance.now() });
    });
    try {
      const { data } = (await json(req)) as { data: { name: string } };
      if (cutBefore) cutBefore.againAt ??= performance.now();
      events.push({ id, name: data.name });
      setTimeout(() => res.writeHead(204).end(), ANSWER_MS);
    } catch {
      res.destroy(); // the sender was killed while it sent
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    cut,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
