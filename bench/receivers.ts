import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';

/** Receivers of webhooks: `/quick…` accepts, `/hanging` never answers, `/endless` answers with a gigabyte. */
export interface Receivers {
  origin: string;
  /** Resolves when `count` quick ones have come since the last call. */
  untilCame(count: number): Promise<void>;
  /** The ages of the events that came to the quick ones since the last call, in order. */
  takeAgesMs(): number[];
  close(): Promise<void>;
}

const ENDLESS_BYTES = 1e9;
const CHUNK = Buffer.alloc(65_536, 'x');

export async function startReceivers(): Promise<Receivers> {
  let came = 0;
  let awaited: { count: number; resolve: () => void } | undefined;
  let agesMs: number[] = [];

  function note(body: string): void {
    agesMs.push(Date.now() - Date.parse((JSON.parse(body) as { timestamp: string }).timestamp));
    came++;
    if (awaited && came >= awaited.count) awaited.resolve();
  }

  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    if (req.url === '/hanging') return;
    if (req.url === '/endless') return stream(res.writeHead(200));
    res.writeHead(204).end();
    note(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async untilCame(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      awaited = { count, resolve };
      if (came >= count) resolve();
      await promise;
      [came, awaited] = [0, undefined];
    },
    takeAgesMs() {
      const taken = agesMs;
      agesMs = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Ends early where the client has read enough. */
function stream(res: ServerResponse): void {
  let sent = 0;
  const chunks = new Readable({
    read() {
      this.push(sent < ENDLESS_BYTES ? CHUNK : null);
      sent += CHUNK.length;
    },
  });
  pipeline(chunks, res, () => {});
}
