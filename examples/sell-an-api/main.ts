/** Sells the small API of service.ts: makes keys for three customers, plays them, and reads what each has used. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RentApi } from '@rentapi/sdk';
import { createService } from './service.ts';

const baseUrl = process.env.RENTAPI_URL ?? 'http://localhost:8000';
const HOUR_MS = 3_600_000;

const seller = new RentApi({ baseUrl });
await seller.auth.login({ email: 'john@acme.com', password: 'User123!@#' });

const slug = `words-${randomUUID()}`;
const meter = await seller.usage.meters.create({ slug, name: 'Words', aggregation: 'sum' });
const ownKey = await seller.apiKeys.create({ name: 'Word counter', scopes: ['api_keys:verify', 'usage:write'] });
step('made a meter, and a key with which the service verifies and meters');

const service = createService(new RentApi({ baseUrl, apiKey: ownKey.secret }), slug);
await once(service.listen(0, '127.0.0.1'), 'listening');
const { port } = service.address() as AddressInfo;

const ada = await seller.apiKeys.create({
  name: 'Ada',
  scopes: [],
  externalId: 'ada',
  permissions: ['words.*'],
  credits: { remaining: 3, refill: { amount: 1000, interval: 'month' } },
});
const bob = await seller.apiKeys.create({
  name: 'Bob',
  scopes: [],
  externalId: 'bob',
  permissions: ['words.count'],
  rateLimits: [{ name: 'requests', limit: 2, windowS: 3600 }],
});
const eve = await seller.apiKeys.create({ name: 'Eve', scopes: [], permissions: ['letters.count'] });
step('made keys for three customers');

try {
  assert.deepEqual(await count(ada.secret, 'to be or not to be'), [200, { words: 6, creditsLeft: 2 }]);
  assert.deepEqual(await count(ada.secret, 'that is the question'), [200, { words: 4, creditsLeft: 1 }]);
  assert.deepEqual(await count(ada.secret, 'ay'), [200, { words: 1, creditsLeft: 0 }]);
  assert.deepEqual(await count(ada.secret, 'there is the rub'), [429, { code: 'USAGE_EXCEEDED' }]);
  step('served Ada until her credits were used up');

  for (const text of ['a b c', 'd e']) assert.equal((await count(bob.secret, text))[0], 200);
  assert.deepEqual(await count(bob.secret, 'f'), [429, { code: 'RATE_LIMITED' }]);
  step('served Bob up to his limit');

  assert.deepEqual(await count(eve.secret, 'x'), [403, { code: 'INSUFFICIENT_PERMISSIONS' }]);
  assert.deepEqual(await count(`${ada.secret}x`, 'x'), [401, { code: 'NOT_FOUND' }]);
  await seller.apiKeys.update({ keyId: ada.id, credits: { remaining: 1000 } });
  assert.equal((await count(ada.secret, 'x'))[0], 200);
  await seller.apiKeys.revoke({ keyId: ada.id });
  assert.deepEqual(await count(ada.secret, 'x'), [401, { code: 'DISABLED' }]);
  step('refused a key without the permission, an unknown and a revoked one');

  const [from, to] = [-HOUR_MS, HOUR_MS].map((ms) => new Date(Date.now() + ms).toISOString());
  const used = await seller.usage.meters.values({ meterId: meter.id, from: from!, to: to!, groupBy: 'externalId' });
  const words = Object.fromEntries(used.items.map(({ externalId, value }) => [externalId, value]));
  assert.deepEqual(words, { ada: 12, bob: 5 });
  step('read the words of each customer, to be billed');

  const { lastUsedAt } = await seller.apiKeys.get({ keyId: bob.id });
  assert(lastUsedAt !== null, "Bob's key was used.");
  step(`saw that Bob's key was last used at ${lastUsedAt}`);
} finally {
  service.close();
  for (const { id } of [ownKey, ada, bob, eve]) await seller.apiKeys.revoke({ keyId: id });
  await seller.usage.meters.archive({ meterId: meter.id });
  await seller.auth.logout();
}

/** The status and the body that the service answers to a customer. */
async function count(key: string, text: string): Promise<[number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}/words`, {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: text,
  });
  return [response.status, await response.json()];
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
