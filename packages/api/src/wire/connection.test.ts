import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { endJson, setWithheldHeaders, withholdHeaders } from './answer.ts';

/** More than the kernel keeps for a connection. */
const LARGE = 64 * 1024 ** 2;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The server's side of a connection whose client sends a request, or several, and may not read the answer. */
async function ask(
  listener: RequestListener,
  { reads, times = 1 }: { reads: boolean; times?: number },
): Promise<{ accepted: Socket; got: string[] }> {
  server = createServer((req, res) => {
    withholdHeaders(res, ['X-Of-Every-Answer', 'yes']);
    listener(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepting = once(server, 'connection');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const got: string[] = [];
  if (reads) socket.setEncoding('utf8').on('data', (data: string) => void got.push(data));
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(times));
  const [accepted] = (await accepting) as [Socket];
  return { accepted, got };
}

describe('an answer', () => {
  it.each<[string, number, RequestListener]>([
    ['long', 1, (req, res) => endJson(req, res, 200, {}, 'x'.repeat(LARGE))],
    ['one of many short ones', 64, (req, res) => endJson(req, res, 200, {}, 'x'.repeat(LARGE / 64))],
    [
      'written by others',
      1,
      (_, res) => {
        setWithheldHeaders(res);
        res.end(Buffer.alloc(LARGE));
      },
    ],
  ])('that is not read is dropped: %s', async (_, times, listener) => {
    const { accepted } = await ask(listener, { reads: false, times });
    await once(accepted, 'close');
    expect(accepted.bytesWritten).toBeGreaterThan(0);
  });

  it('that comes late is waited for', async () => {
    const late: RequestListener = (req, res) => void setTimeout(() => endJson(req, res, 200, {}, 'late'), 6000);
    const { accepted, got } = await ask(late, { reads: true });
    await expect.poll(() => got.join('')).toContain('late');
    expect(accepted.destroyed).toBe(false);
  });
});
