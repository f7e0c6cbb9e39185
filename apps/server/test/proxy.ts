import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const PROBE_EVERY_MS = 100;

/**
 * A small balancer: it checks which backends are ready, sends requests to them in turn, and never retries one. So a
 * request that a stopping process drops is lost, and the test notices.
 */
export async function startProxy(): Promise<{
  url: string;
  /** Sets the backends; resolves when all of them are ready. */
  use(urls: string[]): Promise<void>;
  close(): Promise<void>;
}> {
  let backends: { url: string; ready: boolean }[] = [];
  let turn = 0;

  async function probe(): Promise<void> {
    await Promise.all(
      backends.map(async (backend) => {
        const answer = await fetch(`${backend.url}/health/readiness`).catch(() => undefined);
        backend.ready = answer?.status === 200;
      }),
    );
  }
  const timer = setInterval(probe, PROBE_EVERY_MS);

  const server = createServer((req, res) => {
    const ready = backends.filter((backend) => backend.ready);
    const backend = ready[turn++ % ready.length];
    if (!backend) return void res.writeHead(502).end('no backend');
    const forwarded = request(backend.url + req.url, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    forwarded.on('error', (error) => (res.headersSent ? res.destroy() : res.writeHead(502).end(error.message)));
    req.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async use(urls) {
      backends = urls.map((url) => backends.find((known) => known.url === url) ?? { url, ready: false });
      while (!backends.every(({ ready }) => ready)) await probe();
    },
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
