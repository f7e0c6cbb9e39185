import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { REFUSED_HOSTS, REFUSED_URLS } from './outbound/refused-hosts.proofs.ts';
import {
  createOutbound,
  OutboundError,
  type OutboundOptions,
  type OutboundReason,
  refuseForbiddenPeer,
} from './outbound.ts';

const PEM = readFileSync(new URL('./outbound/receiver.test.pem', import.meta.url), 'utf8');
const SETTING = 'WEBHOOK_ALLOWED_TARGETS';

const closing: (() => void)[] = [];
/** Those of the receivers are added, and count as 443 does. */
const ports = [443];
afterEach(() => {
  ports.length = 1;
  for (const close of closing.splice(0)) close();
});

function outbound(options: Partial<OutboundOptions> = {}) {
  const made = createOutbound({ allowedTargets: [], settingName: SETTING, ports, resolve: async () => [], ...options });
  closing.push(() => made.close());
  return made;
}

/** Listens on every address of this machine, and counts connections. */
async function listen(server: Server, host = '::') {
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(0, host);
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    if ('closeAllConnections' in server) (server as http.Server).closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  ports.push(port);
  return { port, connections: () => connections };
}

const serve = (listener: RequestListener) => listen(http.createServer(listener));
const serveTls = (listener: RequestListener) => listen(https.createServer({ key: PEM, cert: PEM }, listener));

function failing(reason: OutboundReason, message?: RegExp) {
  return message ? { reason, message: expect.stringMatching(message) } : { reason };
}

describe('a port (V13.2.5)', () => {
  it.each([
    ['https://example.com/', null],
    ['https://example.com:443/', null],
    ['https://example.com:8443/', null],
    ['https://example.com:22/', 'forbidden_port'],
    ['https://example.com:6379/', 'forbidden_port'],
    ['https://example.com:8444/', null],
  ])('of %s: %s', (url, reason) => {
    const check = () => createOutbound({ allowedTargets: ['example.com:8444'], settingName: SETTING }).check(url);
    if (reason === null) expect(check).not.toThrow();
    else expect(check).toThrow(/443 and 8443.*WEBHOOK_ALLOWED_TARGETS=example\.com:\d+/);
  });
});

describe('with a list of allowed hosts (V13.2.4, V13.2.5)', () => {
  const allowedHosts = ['hooks.example.com', '*.example.org', 'Bücher.example'];
  it.each([
    ['https://hooks.example.com/', true],
    ['https://HOOKS.example.com.:8443/', true],
    ['https://a.example.org/', true],
    ['https://a.b.example.org./', true],
    ['https://xn--bcher-kva.example/', true],
    ['https://example.org/', false],
    ['https://notexample.org/', false],
    ['https://example.org.evil.example/', false],
    ['https://hooks.example.com.evil.example/', false],
    ['https://x.hooks.example.com/', false],
    ['https://93.184.215.14/', false],
  ])('%s is called: %s', async (url, isCalled) => {
    const asked: string[] = [];
    const client = outbound({ allowedHosts, ports: [443, 8443], resolve: async (name) => asked.splice(0, 0, name) });
    const reason = isCalled ? 'name_not_found' : 'forbidden_host';
    await expect(client.send({ url, method: 'GET' })).rejects.toMatchObject(failing(reason));
    expect(asked).toHaveLength(isCalled ? 1 : 0);
    if (isCalled) expect(() => client.check(url)).not.toThrow();
    else expect(() => client.check(url)).toThrow(`OUTBOUND_ALLOWED_HOSTS=${new URL(url).hostname}`);
  });

  it('a listed name that leads to a private address is refused all the same', async () => {
    const { port, connections } = await serve((_, res) => res.end());
    const client = outbound({ allowedHosts, resolve: async () => ['127.0.0.1'] });
    const refused = client.send({ url: `https://a.example.org:${port}/`, method: 'GET' });
    await expect(refused).rejects.toMatchObject(failing('forbidden_address'));
    expect(connections()).toBe(0);
  });

  it('an exact exception needs no place in it', async () => {
    const { port } = await serve((_, res) => res.end('ok'));
    const client = outbound({ allowedHosts, allowedTargets: [`127.0.0.1:${port}`] });
    expect((await client.send({ url: `http://127.0.0.1:${port}/`, method: 'GET' })).body).toBe('ok');
  });
});

describe('a target that is refused', () => {
  it.each(Object.entries(REFUSED_HOSTS))('has no connection made to it: %s (V13.2.4)', async (_, hosts) => {
    const { port, connections } = await serve((_, res) => res.end());
    // A resolver that would lead each name here.
    const client = outbound({ resolve: async () => ['127.0.0.1'] });
    for (const host of hosts) {
      const request = { url: `https://${host}:${port}/`, method: 'POST', body: '{}' } as const;
      const refused = failing('forbidden_address', new RegExp(`${SETTING}=`));
      await expect(client.send(request), host).rejects.toMatchObject(refused);
      expect(() => client.check(request.url), host).toThrow(SETTING);
    }
    expect(connections()).toBe(0);
  });

  it.each([
    ['a name that leads to this machine', ['127.0.0.1']],
    ['one by IPv6', ['::1']],
    ['one by a mapped address', ['::ffff:127.0.0.1']],
    ['one that leads there besides', ['93.184.215.14', '127.0.0.1']],
    ['one that leads there first', ['127.0.0.1', '93.184.215.14']],
    ['one whose resolver answers with nonsense', ['not an address']],
  ])('is %s', async (_, answer) => {
    const { port, connections } = await serve((_, res) => res.end());
    const client = outbound({ resolve: async () => answer });
    const request = { url: `https://rebind.example:${port}/`, method: 'GET' } as const;
    const refused = failing('forbidden_address', new RegExp(`rebind.example.*${SETTING}=rebind.example:${port}`));
    await expect(client.send(request)).rejects.toMatchObject(refused);
    expect(connections()).toBe(0);
  });

  it('is a name that answers differently the second time: it is resolved once, for the connection itself', async () => {
    const { port, connections } = await serve((_, res) => res.end());
    const asked: string[] = [];
    // The first answer is public and unassigned: a client that resolved again would get through.
    const client = outbound({
      resolve: async (name) => [asked.push(name) === 1 ? '2e00::1' : '127.0.0.1'],
    });
    const request = { url: `https://rebind.example:${port}/`, method: 'GET', timeoutMs: 300 } as const;
    await expect(client.send(request)).rejects.toMatchObject({ reason: expect.stringMatching(/timeout|connection/) });
    expect(asked).toEqual(['rebind.example']);
    await expect(client.send(request)).rejects.toMatchObject(failing('forbidden_address'));
    expect(connections()).toBe(0);
  });

  it('is a peer that no resolver named: cut before a byte is sent', async () => {
    let received = 0;
    const { port } = await listen(
      createServer((socket) => void socket.on('data', (data) => (received += data.length))),
    );
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    refuseForbiddenPeer(socket, (range) => new Error(`refused: ${range}`));
    await expect(once(socket, 'close')).rejects.toThrow('refused: loopback');
    expect(received).toBe(0);
  });

  it('is a peer other than the one that was checked: the request ends before a byte is sent', async () => {
    let received = 0;
    const { port, connections } = await listen(
      createServer((socket) => void socket.on('data', (data) => (received += data.length)).on('error', () => {})),
    );
    // Public when it is checked, this machine when it is connected to.
    const answers = ['2e00::1', '127.0.0.1'];
    const addresses = Object.defineProperty([''], 0, { get: () => answers.shift() });
    const client = outbound({ resolve: async () => addresses });
    const request = { url: `https://rebind.example:${port}/`, method: 'POST', body: '{}' } as const;
    await expect(client.send(request)).rejects.toMatchObject(failing('forbidden_address'));
    expect(answers).toEqual([]);
    await expect.poll(connections).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received).toBe(0);
  });

  it.each(REFUSED_URLS)('is %j, as %s', async (url, reason) => {
    const asked: string[] = [];
    const client = outbound({ resolve: async (name) => [`${asked.push(name)}`] });
    await expect(client.send({ url, method: 'GET' })).rejects.toMatchObject({ reason });
    expect(() => client.check(url)).toThrow(OutboundError);
    expect(asked).toEqual([]);
  });

  it('is a name that does not exist', async () => {
    const client = outbound({ resolve: () => Promise.reject(new Error('NXDOMAIN')) });
    await expect(client.send({ url: 'https://nowhere.example/', method: 'GET' })).rejects.toMatchObject(
      failing('name_not_found', /nowhere.example/),
    );
  });
});

describe('a target that the operator allows', () => {
  it('is reached over http, exactly where it was allowed', async () => {
    const here = await serve(async (req, res) => res.end(`${req.method} ${req.url} ${await bodyOf(req)}`));
    const there = await serve((_, res) => res.end());
    const client = outbound({ allowedTargets: [`127.0.0.1:${here.port}`] });
    const request = { url: `http://127.0.0.1:${here.port}/hook?a=b`, method: 'POST', body: 'żółw' } as const;
    expect(await client.send(request)).toMatchObject({ status: 200, body: 'POST /hook?a=b żółw', truncated: false });
    await expect(client.send({ ...request, url: `http://127.0.0.1:${there.port}/` })).rejects.toMatchObject(
      failing('not_https'),
    );
    await expect(client.send({ ...request, url: `https://127.0.0.1:${there.port}/` })).rejects.toMatchObject(
      failing('forbidden_address'),
    );
    expect(there.connections()).toBe(0);
  });

  it('is the same target in any spelling, but not its address under another name', async () => {
    const { port, connections } = await serve((_, res) => res.end('ok'));
    const client = outbound({ allowedTargets: [`LOCALHOST:${port}`], resolve: async () => ['127.0.0.1'] });
    expect((await client.send({ url: `http://localhost:${port}/`, method: 'GET' })).body).toBe('ok');
    const before = connections();
    await expect(client.send({ url: `http://127.0.0.1:${port}/`, method: 'GET' })).rejects.toMatchObject(
      failing('not_https'),
    );
    await expect(client.send({ url: `https://other.example:${port}/`, method: 'GET' })).rejects.toMatchObject(
      failing('forbidden_address'),
    );
    expect(connections()).toBe(before);
  });

  it('still needs a valid certificate over https', async () => {
    const { port } = await serveTls((_, res) => res.end('secret'));
    const options = {
      allowedTargets: [`receiver.test:${port}`, `other.test:${port}`],
      resolve: async () => ['127.0.0.1'],
    };
    const url = `https://receiver.test:${port}/`;
    await expect(outbound(options).send({ url, method: 'GET' })).rejects.toMatchObject(failing('tls_failed'));
    const trusting = outbound({ ...options, ca: PEM });
    expect((await trusting.send({ url, method: 'GET' })).body).toBe('secret');
    await expect(trusting.send({ url: `https://other.test:${port}/`, method: 'GET' })).rejects.toMatchObject(
      failing('tls_failed'),
    );
  });
});

describe('an exchange', () => {
  async function receiver(listener: RequestListener, options: Partial<OutboundOptions> = {}) {
    const server = await serve(listener);
    const client = outbound({ allowedTargets: [`127.0.0.1:${server.port}`], ...options });
    return { ...server, client, url: `http://127.0.0.1:${server.port}` };
  }

  it.each([301, 302, 303, 307, 308])('follows no redirect of %i', async (status) => {
    const inside = await serve((_, res) => res.end('secret'));
    const { client, url } = await receiver((_, res) =>
      res.writeHead(status, { location: `http://127.0.0.1:${inside.port}/` }).end(),
    );
    const answer = await client.send({ url, method: 'POST', body: '{}' });
    expect(answer).toMatchObject({ status, headers: { location: `http://127.0.0.1:${inside.port}/` } });
    expect(inside.connections()).toBe(0);
  });

  it('reads the beginning of a body that never ends', async () => {
    let written = 0;
    const { client, url } = await receiver(
      (_, res) => {
        const more = () => {
          while (!res.destroyed && written < 1e9 && res.write('x'.repeat(16_384))) written += 16_384;
        };
        res.on('drain', more);
        more();
      },
      { maxBodyBytes: 1000 },
    );
    const answer = await client.send({ url, method: 'GET' });
    expect(answer).toMatchObject({ status: 200, truncated: true, body: 'x'.repeat(1000) });
    expect(written).toBeLessThan(50e6);
  });

  it('takes a switch of protocols, which it never requests, for the answer', async () => {
    const { client, url, connections } = await receiver((_, res) =>
      res.socket!.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes'),
    );
    const answer = { status: 101, headers: { upgrade: 'websocket' }, body: '' };
    expect(await client.send({ url, method: 'POST', body: '{}' })).toMatchObject(answer);
    expect(await client.send({ url, method: 'POST', body: '{}' })).toMatchObject(answer);
    expect(connections()).toBe(2); // what speaks another protocol is not used again
  });

  it('does not unfold a compressed answer', async () => {
    let asked: string | undefined;
    const { client, url } = await receiver((req, res) => {
      asked = req.headers['accept-encoding'];
      res.setHeader('content-encoding', 'gzip').end('as it came');
    });
    const headers = { 'Accept-Encoding': 'gzip' };
    expect((await client.send({ url, method: 'GET', headers })).body).toBe('as it came');
    expect(asked).toBe('identity');
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['stops within the head', (_, res) => void res.socket!.write('HTTP/1.1 200 OK\r\nx: ')],
    ['stops within the body', (_, res) => void res.writeHead(200, { 'content-length': 10 }).write('x')],
    ['drips', (_, res) => void setInterval(() => res.write('x'), 20).unref()],
  ])('ends in time where the server %s', async (_, listener) => {
    const { client, url } = await receiver(listener, { timeoutMs: 200 });
    await expect(client.send({ url, method: 'GET' })).rejects.toMatchObject(failing('timeout', /200 ms/));
  });

  it('ends in time where the handshake or the name takes too long', async () => {
    const { port } = await listen(createServer(() => {}));
    const names = { allowedTargets: [`receiver.test:${port}`], timeoutMs: 200 };
    const url = `https://receiver.test:${port}/`;
    const silent = outbound({ ...names, resolve: async () => ['127.0.0.1'] });
    await expect(silent.send({ url, method: 'GET' })).rejects.toMatchObject(failing('timeout'));
    const nameless = outbound({ ...names, resolve: () => new Promise(() => {}) });
    await expect(nameless.send({ url, method: 'GET' })).rejects.toMatchObject(failing('timeout'));
  });

  it.each<[string, RequestListener]>([
    ['hangs up', (_, res) => void res.socket!.destroy()],
    ['speaks something else', (_, res) => void res.socket!.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['sends an endless head', (_, res) => void res.socket!.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)],
  ])('fails where the server %s', async (_, listener) => {
    const { client, url } = await receiver(listener);
    await expect(client.send({ url, method: 'GET' })).rejects.toMatchObject(failing('connection_failed'));
  });

  it('sends only headers that a tenant may set', async () => {
    let seen: IncomingMessage['headers'] = {};
    const { client, url, port } = await receiver((req, res) => {
      seen = req.headers;
      res.end();
    });
    const headers = {
      'X-Tenant': 'yes',
      Host: 'inside.example',
      'content-length': '999',
      'Transfer-Encoding': 'chunked',
      Connection: 'upgrade',
      Upgrade: 'websocket',
      'Proxy-Authorization': 'x',
    };
    await client.send({ url, method: 'POST', headers, body: '{}' });
    expect(seen).toMatchObject({ 'x-tenant': 'yes', host: `127.0.0.1:${port}`, 'content-length': '2' });
    expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['transfer-encoding']));
    expect(seen).not.toHaveProperty('upgrade');
    expect(seen).not.toHaveProperty('proxy-authorization');
    const smuggled = client.send({ url, method: 'POST', headers: { 'X-A': 'b\r\nX-C: d' }, body: '{}' });
    await expect(smuggled).rejects.toMatchObject(failing('bad_header'));
  });

  it('reuses a connection, and repeats once on one that was closed in the meantime', async () => {
    const { client, url, connections } = await receiver((req, res) => {
      res.end('ok');
      if (req.url === '/last') setTimeout(() => res.socket?.destroy(), 5);
    });
    for (let i = 0; i < 5; i++) await client.send({ url, method: 'GET' });
    expect(connections()).toBe(1);
    for (let i = 0; i < 20; i++) {
      await client.send({ url: `${url}/last`, method: 'GET' });
      await new Promise((resolve) => setTimeout(resolve, i % 10));
      expect((await client.send({ url, method: 'GET' })).body).toBe('ok');
    }
  });
});

describe('a connection that is lost after the request was read', () => {
  it.each([
    ['POST', 1],
    ['PATCH', 1],
    ['PUT', 2],
    ['DELETE', 2],
    ['GET', 2],
  ] as const)('delivers %s %i times', async (method, times) => {
    let arrived = 0;
    const { port } = await serve(async (req, res) => {
      if (req.url === '/first') return res.end('ok');
      await bodyOf(req);
      if (++arrived === 1) (res.socket as Socket).resetAndDestroy();
      else res.end('ok');
    });
    const client = outbound({ allowedTargets: [`127.0.0.1:${port}`] });
    const url = `http://127.0.0.1:${port}`;
    await client.send({ url: `${url}/first`, method: 'GET' });
    const sent = client.send({ url, method, ...(method !== 'GET' && { body: '{}' }) });
    if (times === 1) await expect(sent).rejects.toMatchObject(failing('connection_failed'));
    else expect((await sent).body).toBe('ok');
    expect(arrived).toBe(times);
  });
});

async function bodyOf(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) text += chunk;
  return text;
}
