import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks, which keeps what it got and answers as the test says. */
export async function startReceiver() {
  const received: Received[] = [];
  let answer = (res: ServerResponse): unknown => res.writeHead(204).end();
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    received.push({ headers: req.headers, body });
    answer(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    received,
    /** `host:port`, for WEBHOOK_ALLOWED_TARGETS. */
    target,
    url: `http://${target}/hooks`,
    /** What it answers from now on: a status, or what it does with the response. */
    answer(next: number | ((res: ServerResponse) => unknown), headers: Record<string, string> = {}) {
      answer = typeof next === 'number' ? (res) => res.writeHead(next, headers).end('an answer') : next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
