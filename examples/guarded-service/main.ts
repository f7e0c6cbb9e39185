/** A customer of the service, whose key is made, limited and switched off: only the published SDK, and the service. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RentApi } from '@rentapi/sdk';

const baseUrl = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';
const START_TIMEOUT_MS = 60_000;
const END_MS = 2000;

const person = new RentApi({ baseUrl, apiKey: null });
await person.auth.login({ email: 'john@acme.com', password: 'User123!@#' });

const own = await person.apiKeys.create({ name: 'The documents service', scopes: ['api_keys:verify'] });
const service = spawn(process.execPath, [fileURLToPath(new URL('service.ts', import.meta.url))], {
  env: { ...process.env, RENTAPI_BASE_URL: baseUrl, RENTAPI_API_KEY: own.secret, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [line] = await once(service.stdout, 'data', { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
  const url = /http:\S+/.exec(String(line))?.[0];
  assert(url, `The service said ${line}`);
  step(`started the service on ${url}`);

  const customer = await person.apiKeys.create({
    name: 'Customer 42',
    scopes: [],
    externalId: 'customer-42',
    permissions: ['documents.*'],
    credits: { remaining: 12, refill: { amount: 12, interval: 'month' } },
    rateLimits: [{ name: 'requests', limit: 100, windowS: 60 }],
  });
  const call = (secret: string, method = 'GET') =>
    fetch(`${url}/documents`, { method, headers: { authorization: `Bearer ${secret}` } });

  const read = await call(customer.secret);
  assert.deepEqual(await read.json(), {
    customer: 'customer-42',
    creditsLeft: 11,
    documents: ['Terms', 'Prices'],
  });
  assert.match(read.headers.get('ratelimit') ?? '', /^"requests";r=99;t=\d+$/);
  step('a customer read documents for one credit');

  assert.equal((await call(customer.secret, 'POST')).status, 201);
  assert.equal(await codeOf(await call(customer.secret, 'POST')), '429 usage_exceeded');
  step('wrote one for ten credits, and had too few for another');

  await person.apiKeys.update({ keyId: customer.id, credits: { remaining: 1000 }, permissions: ['documents.read'] });
  assert.equal(await codeOf(await call(customer.secret, 'POST')), '403 insufficient_permissions');
  assert.equal((await call(customer.secret)).status, 200);
  step('got more credits, and may only read from now on');

  await person.apiKeys.update({ keyId: customer.id, enabled: false });
  assert.equal(await codeOf(await call(customer.secret)), '401 api_key_disabled');
  assert.equal(await codeOf(await call('rapi_live_made_up')), '401 invalid_api_key');
  assert.equal(await codeOf(await fetch(`${url}/documents`)), '401 api_key_required');
  step('a disabled key, a made-up one and none were refused');
  for (const { id } of [customer, own]) await person.apiKeys.revoke({ keyId: id });
} finally {
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  setTimeout(() => service.kill('SIGKILL'), END_MS).unref();
  await ended;
}

async function codeOf(response: Response): Promise<string> {
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
