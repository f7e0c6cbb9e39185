import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawExchange, startInProcess } from '../../test/in-process-server.ts';

let server: Awaited<ReturnType<typeof startInProcess>>;
beforeAll(async () => {
  server = await startInProcess({ RATE_LIMIT_PER_MINUTE: '100000', AUTH_RATE_LIMIT_PER_MINUTE: '100000' });
  server.serve();
});
afterAll(() => server.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 1024 ** 2;

/** Of unknown length, so that it is sent in chunks. */
function chunked(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(64 * 1024, left);
      left -= size;
      if (size > 0) controller.enqueue(new Uint8Array(size).fill(32));
      else controller.close();
    },
  });
}

async function refusal(path: string, init: RequestInit & { duplex?: 'half' }): Promise<[number, string]> {
  const response = await fetch(server.url + path, { method: 'POST', headers: JSON_TYPE, ...init });
  const { error, code } = (await response.json()) as { code: string; error?: { data: { problem: { code: string } } } };
  return [response.status, error?.data.problem.code ?? code];
}

describe('a body of 20 MB', () => {
  const large = Buffer.alloc(20 * MIB, 32);

  it.each([
    ['/api/v1/auth/login', 30],
    ['/trpc/auth.login', 5],
  ])(
    'is refused at %s, and its sender gets the reason, each of %i times',
    async (path, times) => {
      const refused: [number, string][] = [];
      for (let at = 0; at < times; at++) refused.push(await refusal(path, { body: large }));
      for (let at = 0; at < times; at++) refused.push(await refusal(path, { body: chunked(20 * MIB), duplex: 'half' }));
      expect(refused).toEqual(Array(2 * times).fill([413, 'body_too_large']));
    },
    120_000,
  );

  it('is refused as clearly by a route that reads no body', async () => {
    for (const path of ['/nope', '/api/v1/nope', '/%ff', '/metrics']) {
      for (let at = 0; at < 5; at++) {
        const response = await fetch(server.url + path, { method: 'POST', headers: JSON_TYPE, body: large });
        expect([path, response.status]).toEqual([path, { '/%ff': 400, '/metrics': 405 }[path] ?? 404]);
        await response.arrayBuffer();
      }
    }
  });

  it('reaches a client that sends all of it before it reads', async () => {
    const head = `POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const { status } = await rawExchange(server.port, `${head}Content-Length: ${20 * MIB}\r\n\r\n${large}`);
    expect(status).toBe(413);
  });
});

describe('a body that never ends', () => {
  it('is cut off after its refusal', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n');
    socket.write('Transfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    let sent = 0;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const send = () => {
      while (!socket.destroyed && sent < 200 * MIB) {
        sent += 65_536;
        if (!socket.write(chunk)) return void socket.once('drain', send);
      }
    };
    send();
    await closed;
    expect(sent).toBeLessThan(100 * MIB);
  });
});

describe('400 bodies that stay unfinished', () => {
  it('take at most 64 MiB, while other requests are served', async () => {
    const sockets: Socket[] = [];
    const refused: string[] = [];
    const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    let heldMost = 0;
    try {
      for (let at = 0; at < 400; at++) {
        const socket = connect(server.port, '127.0.0.1');
        sockets.push(socket);
        let answer = '';
        socket.on('error', () => {}).on('data', (data) => (answer += data));
        socket.once('data', () => refused.push(answer));
        await new Promise((sent) => socket.write(`${head}Content-Length: 1000000\r\n\r\n${' '.repeat(990_000)}`, sent));
        heldMost = Math.max(heldMost, server.ports.bodies.heldBytes);
      }
      // About 65 bodies fit; the earliest ones are given up and asked to retry.
      await expect.poll(() => refused.length).toBeGreaterThan(300);
      for (const answer of refused) expect(answer).toMatch(/^HTTP\/1\.1 503 .*^retry-after: 2\r$.*"unavailable"/ims);
      expect(heldMost).toBeGreaterThan(16 * MIB);
      expect(heldMost).toBeLessThanOrEqual(64 * MIB);
      const whole = JSON.stringify({ email: 'ada@example.com', password: 'x'.repeat(200) });
      expect((await refusal('/api/v1/auth/login', { body: whole }))[0]).toBe(401);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await expect.poll(() => server.ports.bodies.heldBytes).toBe(0);
  });
});

describe('a body in chunks of one byte', () => {
  it('takes the memory of its bytes, not of an object for each', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n');
    socket.write(`Transfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(100_000)}`);
    await expect.poll(() => server.ports.bodies.heldBytes).toBeGreaterThanOrEqual(100_000);
    expect(server.ports.bodies.heldBytes).toBeLessThanOrEqual(200_000);
    socket.write('2\r\n{}\r\n0\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 .*"invalid_input"/s);
    expect(server.ports.bodies.heldBytes).toBe(0);
    socket.destroy();
  });
});
