import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApi } from '@rentapi/api/api';
import { type Context, type Ports, systemContext } from '@rentapi/api/context';
import type { Job, RunControl } from '@rentapi/api/jobs/job';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { type FakePair, openFakePair } from '@rentapi/fake-payments/pair';
import { createPayPalProvider } from '@rentapi/payments/paypal/provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { execute, type Statement } from '@rentapi/platform/database';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { planOnce } from './plan-once.ts';
import { openSandbox, type Sandbox, type SandboxAccount } from './sandbox.ts';

export const RETURN_URL = 'http://127.0.0.1:8000/back';
const ADDRESS = '127.0.0.1';
const PASSWORD = 'correct horse battery staple';
const SECRETS = {
  SECRET_KEY: 'secret-key-of-simulations-0123456789',
  ID_SECRET: 'id-secret-of-simulations-0123456789',
  PASSWORD_PEPPER: 'pepper-of-simulations-0123456789abc',
};

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** An organization with the key that it calls with. */
export interface Customer {
  id: number;
  call(method: string, path: string, body?: object): Promise<Answer>;
}

/** The product beside fakes of its providers, with a clock that only moves when it is set. */
export interface World {
  ports: Ports;
  stripe: FakePair['stripe'];
  paypal: FakePair['paypal'];
  /** A test account of Stripe in place of its fake; null where it is not used. */
  sandbox: Sandbox | null;
  now(): Date;
  moveTo(at: Date): void;
  context(): Context;
  signUp(number: number): Promise<Customer>;
  /** A call by someone who may refund. */
  callAsStaff(method: string, path: string, body: object): Promise<Answer>;
  /** Runs a job that is on a schedule, as its worker does when it is due. */
  tick(name: string): Promise<void>;
  /** Does what the product has requested of its workers and is due; how much there was. */
  work(): Promise<number>;
  /** When a job that failed is tried again; null where there is none. */
  nextRetry(): Date | null;
  close(): Promise<void>;
}

export interface WorldOptions {
  databaseUrl: string;
  dataDir: string;
  startsAt: Date;
  sandbox?: SandboxAccount | null;
}

export async function openWorld({ databaseUrl, dataDir, startsAt, sandbox: account }: WorldOptions): Promise<World> {
  let now = startsAt;
  const clock = { now: () => now };
  const env = readEnv({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    BCRYPT_COST: '4',
    RATE_LIMIT_PER_MINUTE: '100000',
    AUTH_RATE_LIMIT_PER_MINUTE: '100000',
    MAILBOX_LIMIT_PER_HOUR: '100000',
    DEFAULT_PLAN: 'FREE',
    RENEWALS_AT_ONCE: '1', // in one order, so that a seed does the same again
    CORS_ORIGINS: new URL(RETURN_URL).origin,
  });
  const ports = openPorts({
    env,
    log: createLogger({ level: 'silent' }),
    databaseUrl,
    secrets: account ? newSecrets() : SECRETS,
    mailer: { send: async () => {}, close: async () => {} },
    version: '0.0.0',
    clock,
  });
  planOnce(ports.database);
  const api = createApi({ ports, clientAddress: () => ADDRESS });
  const server = createServer((req, res) => void api.handle(req, res, () => res.writeHead(404).end()));
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const url = `http://${ADDRESS}:${(server.address() as AddressInfo).port}/api/v1`;
  const { stripe, paypal, close: closeFakes } = await openFakes(ports, `${url}/billing`);
  const sandbox = account ? openSandbox(account, clock) : null;
  if (sandbox) ports.payments = new Map([...ports.payments, ['stripe', sandbox.provider]]);

  async function call(method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> {
    const answer = await fetch(url + path, {
      method,
      redirect: 'error',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status === 500) throw new Error(`${method} ${path} was answered with ${text}`);
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
  }

  async function signUp(number: number): Promise<Customer> {
    const credentials = { email: `owner-${number}@example.com`, password: PASSWORD };
    await call('POST', '/auth/register', {}, credentials);
    const { body: tokens } = await call('POST', '/auth/login', {}, credentials);
    const { accessToken, user } = tokens as { accessToken: string; user: { defaultOrganizationId: string } };
    const bearer = { authorization: `Bearer ${accessToken}` };
    // A key does not expire while months pass.
    const { body: key } = await call('POST', '/api-keys', bearer, { name: 'Simulation', scopes: ['*'] });
    const headers = { 'x-api-key': String(key['secret']) };
    return {
      id: ports.ids.decode('org', user.defaultOrganizationId)!,
      call: (method, path, body) => call(method, path, headers, body),
    };
  }

  /** With a login of its own, because months pass between two calls. */
  async function callAsStaff(method: string, path: string, body: object): Promise<Answer> {
    const credentials = { email: 'staff@example.com', password: PASSWORD };
    await call('POST', '/auth/register', {}, credentials); // it is there already, but for the first time
    await ports.database('users').where({ email: credentials.email }).update({ role: 'ADMIN' });
    const { body: tokens } = await call('POST', '/auth/login', {}, credentials);
    return call(method, path, { authorization: `Bearer ${tokens['accessToken']}` }, body);
  }

  const context = () => systemContext(ports, 'simulation');
  const worker = createWorker(ports, context);
  return {
    ports,
    stripe,
    paypal,
    sandbox,
    now: clock.now,
    moveTo(at) {
      now = at;
    },
    context,
    signUp,
    callAsStaff,
    ...worker,
    async close() {
      api.sockets.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await closeFakes();
      await closePorts(ports);
    },
  };
}

/** Public ids, which an account at Stripe remembers, are those of no other run. */
const newSecrets = (): typeof SECRETS => ({
  SECRET_KEY: randomBytes(32).toString('hex'),
  ID_SECRET: randomBytes(32).toString('hex'),
  PASSWORD_PEPPER: randomBytes(32).toString('hex'),
});

async function openFakes(ports: Ports, webhooks: string): Promise<FakePair> {
  const { clock } = ports;
  const fakes = await openFakePair(clock, webhooks);
  const { stripe, paypal, ofStripe, ofPayPal } = fakes;
  const { secretKey, webhookSecret } = ofStripe;
  const providers = [
    ports.payments.get('manual')!, // every server has it
    // Without sockets, which would cost more than what the fakes do.
    createStripeProvider({ secretKey, webhookSecrets: [webhookSecret], apiBase: stripe.url, send: stripe.answer }),
    createPayPalProvider({ ...ofPayPal, apiBase: paypal.url, isLive: false, clock, send: paypal.answer }),
  ];
  ports.payments = new Map(providers.map((provider) => [provider.name, provider]));
  return fakes;
}

interface Requested {
  id: number;
  job: string;
  data: unknown;
  key: string | null;
}

const TAKE: Statement = {
  name: 'simulation_take',
  text: `
    /* across organizations */
    delete from outbox where id in (select id from outbox order by id limit 500)
    returning id, job, data, key`,
};

interface Waiting {
  job: Job;
  data: unknown;
  failures: number;
  dueAt: Date;
}

/** After so many failures a job is dead. */
const ATTEMPTS = 20;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 3_600_000;
/** PDFs move no money, and take longer than all the rest. */
const LEFT_OUT = 'invoices.render';
const control: RunControl = { touch() {}, signal: new AbortController().signal };

/** Does the jobs of billing at once, in their order, without the queue: that has a clock of its own. */
function createWorker(ports: Ports, context: () => Context) {
  const waiting: Waiting[] = [];

  async function attempt(one: Waiting): Promise<void> {
    try {
      await one.job.run(context(), one.data, control);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      one.failures++;
      if (one.failures >= ATTEMPTS) return; // what is left of it is found by the jobs on a schedule
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** one.failures, LONGEST_PAUSE_MS);
      one.dueAt = new Date(ports.clock.now().getTime() + pauseMs);
      waiting.push(one);
    }
  }

  return {
    async tick(name: string) {
      const at = ports.clock.now();
      await ports.jobs.named(name)!.run(context(), { at }, control);
    },
    async work() {
      const now = ports.clock.now();
      const taken = await execute<Requested>(ports.database, TAKE, []);
      taken.sort((one, other) => one.id - other.id);
      const seen = new Set<string>();
      const due = waiting.filter(({ dueAt }) => dueAt <= now);
      waiting.splice(0, waiting.length, ...waiting.filter(({ dueAt }) => dueAt > now));
      for (const { job: name, data, key } of taken) {
        const job = ports.jobs.named(name);
        // Mails and webhooks move no money either.
        if (job?.queue !== 'subscriptions' || !job.data || name === LEFT_OUT) continue;
        if (key !== null && seen.has(key)) continue;
        if (key !== null) seen.add(key);
        due.push({ job, data: job.data.parse(data), failures: 0, dueAt: now });
      }
      for (const one of due) await attempt(one);
      return due.length;
    },
    nextRetry: () => waiting.reduce<Date | null>((first, { dueAt }) => (first && first < dueAt ? first : dueAt), null),
  };
}
