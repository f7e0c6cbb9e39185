import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dropUnread } from './connection.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The server's side of a connection whose client sends one request, and may not read the answer. */
async function ask(
  listener: RequestListener,
  { reads }: { reads: boolean },
): Promise<{ accepted: Socket; got: string[] }> {
  server = createServer((req, res) => {
    dropUnread(res);
    listener(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepting = once(server, 'connection');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const got: string[] = [];
  if (reads) socket.setEncoding('utf8').on('data', (data: string) => void got.push(data));
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [accepted] = (await accepting) as [Socket];
  return { accepted, got };
}

describe('an answer', () => {
  it('that is not read is dropped, whatever wrote it', async () => {
    const { accepted } = await ask((_, res) => res.end(Buffer.alloc(64 * 1024 ** 2)), { reads: false });
    await once(accepted, 'close');
    expect(accepted.bytesWritten).toBeGreaterThan(0);
  });

  it('that comes late is waited for', async () => {
    const { accepted, got } = await ask((_, res) => void setTimeout(() => res.end('late'), 6000), { reads: true });
    await expect.poll(() => got.join('')).toContain('late');
    expect(accepted.destroyed).toBe(false);
  });
});
