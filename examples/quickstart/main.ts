/**
 * From nothing to a revoked key, as a customer's program does it: only the published SDK, and @trpc/client for one
 * step.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthenticationError, type RealtimeEvent, RentApi, type Subscription } from '@rentapi/sdk';
import { rentapiLink } from '@rentapi/sdk/trpc';
import { createTRPCUntypedClient } from '@trpc/client';

const baseUrl = process.env.RENTAPI_URL ?? 'http://localhost:8000';
const MAIL_TIMEOUT_MS = 20_000;
const EVENT_TIMEOUT_MS = 10_000;

const email = `quickstart-${randomUUID()}@example.com`;
const password = `Quick-${randomUUID()}-Start1`;
const person = new RentApi({ baseUrl });

const registered = await person.auth.register({ email, password, fullName: 'Quick Start' });
assert.equal(registered.email, email);
step(`registered ${email}`);

await person.auth.email.verify({ token: await mailedToken(email) });
step('verified the e-mail address with the token of the mailed link');

const login = await person.auth.login({ email, password });
assert('accessToken' in login, 'The login asked for a second factor, which a new account has not set up.');
assert.equal((await person.users.me.get()).email, email);
step('logged in');

const subscription = person.realtime.subscribe(['api_key.*']);
await within(EVENT_TIMEOUT_MS, 'a confirmed subscription', subscription.ready);
step('subscribed to api_key.* over WebSocket');

const { id: keyId, secret } = await person.apiKeys.create({ name: 'quickstart', scopes: ['read:*'] });
step(`created the API key ${keyId}`);

const program = new RentApi({ baseUrl, apiKey: secret });
assert.equal((await program.users.me.get()).email, email);
step('called users.me.get with the key');

const event = await within(EVENT_TIMEOUT_MS, 'the event api_key.created', nextEvent(subscription));
assert.equal(event.event, 'api_key.created');
assert.equal(event.data.id, keyId);
assert(!JSON.stringify(event).includes(secret), 'The event gives the secret away.');
step(`received ${event.event} as ${event.id}`);

const listed: string[] = [];
for await (const key of person.apiKeys.list({ limit: 1 })) listed.push(key.id);
assert(listed.includes(keyId), `The list of keys lacks ${keyId}.`);
step(`found it in the list of ${listed.length}`);

const trpc = createTRPCUntypedClient({ links: [rentapiLink(program)] });
const overTrpc = Object(await trpc.query('apiKeys.get', { keyId }));
const { lastUsedAt, ...overRest } = await program.apiKeys.get({ keyId });
assert.deepEqual(overTrpc, { ...overRest, lastUsedAt: overTrpc.lastUsedAt }); // each is a use
assert(lastUsedAt, 'The use of the key was not noted.');
step('read the same key over tRPC and over REST');

await person.apiKeys.update({ keyId, name: 'Quickstart', rateLimitPerMinute: 100 });
step('renamed it, and limited its calls a minute');

const rotated = await person.apiKeys.rotate({ keyId, gracePeriodSeconds: 60 });
const successor = new RentApi({ baseUrl, apiKey: rotated.secret });
for (const each of [program, successor]) assert.equal((await each.users.me.get()).email, email);
step('rotated its secret: for a minute, both work');

await person.apiKeys.revoke({ keyId });
const refusal = await program.users.me.get().then(
  () => assert.fail('The revoked key still works.'),
  (error: unknown) => error,
);
assert(refusal instanceof AuthenticationError, `The revoked key was refused with ${refusal}`);
assert.equal(refusal.code, 'api_key_revoked');
step(`revoked it: the next call was refused with ${refusal.status} ${refusal.code} (request ${refusal.requestId})`);

await person.auth.logout();
assert.equal(await person.tokens(), null);
step('logged out');

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}

/** Outside production, the server keeps the mail it would send and shows it here. */
async function mailedToken(address: string): Promise<string> {
  const deadlineMs = Date.now() + MAIL_TIMEOUT_MS;
  while (Date.now() < deadlineMs) {
    const response = await fetch(`${baseUrl}/dev/mail.json?to=${encodeURIComponent(address)}`);
    assert.equal(response.status, 200, `GET /dev/mail.json answered ${response.status}.`);
    const { items } = (await response.json()) as { items: { text: string }[] };
    const token = items
      .map(({ text }) => /[?&]token=([^\s&"'<>]+)/.exec(text)?.[1])
      .find((found) => found !== undefined);
    if (token !== undefined) return decodeURIComponent(token);
    await sleep(200);
  }
  throw new Error(`No mail with a link arrived for ${address} within ${MAIL_TIMEOUT_MS / 1000} s.`);
}

/** The first event; leaving the loop closes the subscription. */
async function nextEvent(events: Subscription): Promise<RealtimeEvent> {
  for await (const event of events) return event;
  throw new Error('The subscription ended before an event arrived.');
}

async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}
