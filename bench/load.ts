import { Pool } from 'undici';

interface Loaded {
  elapsedMs: number;
  /** Headers of each request. */
  latenciesMs: number[];
}

/** A client that keeps its connections to one or several servers, each of which carries one request at a time. */
export interface Client {
  /** Sends one request for each of `headers`. Throws unless all succeed. */
  drive(path: string, headers: readonly Record<string, string>[], body?: string): Promise<Loaded>;
  getJson(path: string, headers: Record<string, string>): Promise<unknown>;
  postJson(path: string, headers: Record<string, string>, body: string): Promise<unknown>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** `connections` is the number of concurrent requests; the servers get them in turn. */
export function openClient(
  origins: readonly string[],
  connections: number,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): Client {
  const options = { connections, headersTimeout: requestTimeoutMs, bodyTimeout: requestTimeoutMs };
  const pools = origins.map((origin) => new Pool(origin, options));
  let turn = 0;

  /** A GET, or a POST of a JSON body. */
  const send = async (path: string, headers: Record<string, string>, json?: string): Promise<string> => {
    const { statusCode, body } = await pools[turn++ % pools.length]!.request(
      json === undefined
        ? { method: 'GET', path, headers }
        : { method: 'POST', path, headers: { ...headers, 'content-type': 'application/json' }, body: json },
    );
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${path} answered ${statusCode}: ${text.slice(0, 500)}`);
    return text;
  };

  return {
    async drive(path, headers, body) {
      const latenciesMs: number[] = [];
      let next = 0;
      const sender = async (): Promise<void> => {
        for (let at = next++; at < headers.length; at = next++) {
          const began = performance.now();
          await send(path, headers[at]!, body);
          latenciesMs.push(performance.now() - began);
        }
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: connections }, sender));
      return { elapsedMs: performance.now() - began, latenciesMs };
    },
    getJson: async (path, headers) => JSON.parse(await send(path, headers)),
    postJson: async (path, headers, body) => JSON.parse((await send(path, headers, body)) || 'null'),
    close: async () => void (await Promise.all(pools.map((pool) => pool.destroy()))),
  };
}
