import { Pool } from 'undici';

interface Loaded {
  elapsedMs: number;
  /** Of each request. */
  latenciesMs: number[];
}

/** A client that keeps its connections, each of which carries one request at a time. */
export interface Client {
  /** Sends one request for each of `headers`. Throws unless all are answered 200. */
  drive(path: string, headers: readonly Record<string, string>[]): Promise<Loaded>;
  getJson(path: string, headers: Record<string, string>): Promise<unknown>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;

export function openClient(origin: string, connections: number): Client {
  const pool = new Pool(origin, { connections, headersTimeout: REQUEST_TIMEOUT_MS, bodyTimeout: REQUEST_TIMEOUT_MS });

  const get = async (path: string, headers: Record<string, string>): Promise<string> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}: ${text.slice(0, 500)}`);
    return text;
  };

  return {
    async drive(path, headers) {
      const latenciesMs: number[] = [];
      let next = 0;
      const sender = async (): Promise<void> => {
        for (let at = next++; at < headers.length; at = next++) {
          const began = performance.now();
          await get(path, headers[at]!);
          latenciesMs.push(performance.now() - began);
        }
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: connections }, sender));
      return { elapsedMs: performance.now() - began, latenciesMs };
    },
    getJson: async (path, headers) => JSON.parse(await get(path, headers)),
    close: () => pool.destroy(),
  };
}
