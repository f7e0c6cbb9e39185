import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** One task of a careful client, which repeats the same request until it is answered. */
export interface Attempt {
  /** Identifies it in the database: a key's name, or an address. */
  name: string;
  beganAt: number;
  /** When it was answered 2xx; never, where the client gave up or was refused. */
  doneAt?: number;
  retries: number;
  /** Earlier results, and how often: a status with its code, or how the connection ended. */
  refusals: Map<string, number>;
  /** Why the client stopped trying. */
  failure?: string;
}

export interface Load {
  writes: Attempt[];
  registrations: Attempt[];
  /** Requests of links to set a new password, each of another person: their names are addresses. */
  resets: Attempt[];
  /** Sends nothing new, and resolves when everything sent was answered or given up. */
  stop(): Promise<void>;
}

const WRITE_EVERY_MS = 50;
const REGISTER_EVERY_MS = 2000;
const RESET_EVERY_MS = 50;
const MAX_OPEN = 100; // at once: what a slow machine cannot answer is not sent
const REQUEST_TIMEOUT_MS = 10_000;
// A claim of an idempotency key whose process died is free after 60 s.
const GIVE_UP_MS = 90_000;
const RETRY_MS = 100;
/** The same request may be answered differently later: try again. */
const TEMPORARY = [409, 429, 503];

/** Starts this many requests each second, however slowly they are answered. */
export function startLoad(origins: () => string[], tokens: readonly string[], addresses: readonly string[]): Load {
  const agent = new Agent({ headersTimeout: REQUEST_TIMEOUT_MS, bodyTimeout: REQUEST_TIMEOUT_MS });
  const open = new Set<Promise<void>>();
  const writes: Attempt[] = [];
  const registrations: Attempt[] = [];
  const resets: Attempt[] = [];

  function begin(attempts: Attempt[], name: string, path: string, headers: Record<string, string>, body: object): void {
    if (open.size >= MAX_OPEN) return;
    const attempt: Attempt = { name, beganAt: performance.now(), retries: 0, refusals: new Map() };
    attempts.push(attempt);
    const all = { 'content-type': 'application/json', ...headers };
    const run = persist(attempt, path, all, JSON.stringify(body)).finally(() => open.delete(run));
    open.add(run);
  }

  async function persist(attempt: Attempt, path: string, headers: Record<string, string>, body: string): Promise<void> {
    // Each retry goes to the next process, as through a balancer.
    for (let at = writes.length; performance.now() - attempt.beganAt < GIVE_UP_MS; at++, attempt.retries++) {
      const now = origins();
      try {
        const answer = await request(now[at % now.length]! + path, {
          method: 'POST',
          headers,
          body,
          dispatcher: agent,
        });
        const text = await answer.body.text();
        if (answer.statusCode < 300) {
          attempt.doneAt = performance.now();
          return;
        }
        if (!TEMPORARY.includes(answer.statusCode)) {
          attempt.failure = `${answer.statusCode} ${text.slice(0, 300)}`;
          return;
        }
        note(attempt, `${answer.statusCode} ${/"code":"(\w+)"/.exec(text)?.[1]}`);
      } catch (error) {
        // Refused or cut: whether it was done is unknown, which is what the idempotency key is for.
        note(attempt, String((error as { code?: string }).code ?? error));
      }
      await sleep(RETRY_MS);
    }
    attempt.failure = 'no answer in time';
  }

  const write = every(WRITE_EVERY_MS, () => {
    const authorization = `Bearer ${tokens[writes.length % tokens.length]}`;
    const name = `chaos ${writes.length}`;
    const headers = { authorization, 'idempotency-key': randomUUID() };
    begin(writes, name, '/api/v1/api-keys', headers, { name, scopes: ['api_keys:read'] });
  });
  const register = every(REGISTER_EVERY_MS, () => {
    const email = `chaos${registrations.length}@example.com`;
    begin(registrations, email, '/api/v1/auth/register', {}, { email, password: 'correct horse battery staple' });
  });

  const reset = every(RESET_EVERY_MS, () => {
    const email = addresses[resets.length];
    if (email) begin(resets, email, '/api/v1/auth/password-reset/request', {}, { email });
  });

  return {
    writes,
    registrations,
    resets,
    async stop() {
      for (const timer of [write, register, reset]) clearInterval(timer);
      await Promise.all(open);
      await agent.destroy();
    },
  };
}

function note({ refusals }: Attempt, what: string): void {
  refusals.set(what, (refusals.get(what) ?? 0) + 1);
}

/** On a busy machine a timer comes late: what is due by then is sent as well. */
function every(ms: number, work: () => void): NodeJS.Timeout {
  const beganAt = performance.now();
  let done = 0;
  return setInterval(() => {
    for (; done * ms < performance.now() - beganAt; done++) work();
  }, ms);
}
