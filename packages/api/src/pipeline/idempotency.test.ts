import { createKeyring } from '@rentapi/platform/secrets';
import { startFlakyProxy } from '@rentapi/testing/flaky-proxy';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../test/app.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const create = (key: string, body: object = { name: 'CI', scopes: ['*'] }, who = ada) =>
  who.request('/api/v1/api-keys', { method: 'POST', body, headers: { 'idempotency-key': key } });
const count = async () => (await ada.request('/api/v1/api-keys?limit=100')).body.items.length;

it('has one effect for 50 concurrent repeats, which all get the same answer', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => create('fifty')));
  expect(await count()).toBe(1);
  const done = answers.filter(({ status }) => status === 201);
  expect(new Set(done.map(({ body }) => body.secret)).size).toBe(1);
  for (const answer of answers) expect(answer.body.code ?? 'created').toMatch(/^(created|idempotency_in_progress)$/);
  const repeat = await create('fifty');
  expect([repeat.status, repeat.body]).toEqual([201, done[0]!.body]);
  expect(repeat.headers.get('idempotency-replayed')).toBe('true');
});

it('accepts the same input in another order, and refuses other input', async () => {
  const first = await create('order', { name: 'CI', scopes: ['*'] });
  expect((await create('order', { scopes: ['*'], name: 'CI' })).body).toEqual(first.body);
  const other = await create('order', { name: 'other', scopes: ['*'] });
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
});

it('is separate for each caller', async () => {
  const eve = await app.signUp();
  const [mine, theirs] = [await create('shared'), await create('shared', undefined, eve)];
  expect(mine.body.secret).not.toBe(theirs.body.secret);
});

it('does not store an answer to bad input: the corrected request succeeds', async () => {
  expect((await create('typo', { name: '' })).status).toBe(400);
  expect((await create('typo')).status).toBe(201);
});

it('stores a refusal', async () => {
  const { body: narrow } = await create('narrow', { name: 'narrow', scopes: ['api_keys:create'] });
  const ask = () =>
    app.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'wide', scopes: ['*'] },
      headers: { 'x-api-key': narrow.secret, 'idempotency-key': 'refused' },
    });
  const [first, second] = [await ask(), await ask()];
  expect([first.status, first.body.code]).toEqual([403, 'scope_not_held']);
  expect([second.status, second.body.code, second.headers.get('idempotency-replayed')]).toEqual([
    403,
    'scope_not_held',
    'true',
  ]);
});

it('checks the caller again before it repeats an answer', async () => {
  const { body: key } = await create('key', { name: 'maker', scopes: ['*'] });
  const ask = () =>
    app.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'x', scopes: ['*'] },
      headers: { 'x-api-key': key.secret, 'idempotency-key': 'again' },
    });
  expect((await ask()).status).toBe(201);
  await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
  expect((await ask()).body.code).toBe('api_key_revoked');
});

it('frees the claim of a process that died, after a minute', async () => {
  await create('dead');
  const table = () => app.rows('idempotency_keys');
  await table().update({ answer: null });
  expect((await create('dead')).body.code).toBe('idempotency_in_progress');
  await table().update({ claimedAt: new Date(Date.now() - 61_000) });
  expect((await create('dead')).status).toBe(201);
});

it('undoes the work of a request whose claim another one took over meanwhile', async () => {
  const organization = { id: app.ports.ids.decode('org', ada.organizationId) };
  const holding = await app.rows.transaction();
  await holding('organizations').where(organization).forUpdate().first();
  const first = create('slow');
  await eventually(async () => (await app.rows('idempotency_keys').whereNull('answer').first()) && true, 'the claim');
  await app.rows('idempotency_keys').whereNull('answer').update({ token: crypto.randomUUID() });
  await holding.commit();
  expect((await first).body.code).toBe('idempotency_in_progress');
  expect(await count()).toBe(0);
  await app.rows('idempotency_keys').whereNull('answer').delete();
});

it('keeps the answer of a request whose claim was deleted meanwhile', async () => {
  const organization = { id: app.ports.ids.decode('org', ada.organizationId) };
  const holding = await app.rows.transaction();
  await holding('organizations').where(organization).forUpdate().first();
  const first = create('deleted');
  await eventually(async () => (await app.rows('idempotency_keys').whereNull('answer').first()) && true, 'the claim');
  await app.rows('idempotency_keys').whereNull('answer').delete();
  await holding.commit();
  const { status, body } = await first;
  expect(status).toBe(201);
  expect((await create('deleted')).body).toEqual(body);
  expect((await create('deleted', { name: 'Other', scopes: ['*'] })).body.code).toBe('idempotency_key_reused');
  expect(await count()).toBe(1);
});

it('frees the claim of a request that failed with the database, once the database is back', async () => {
  const { rows: database } = app;
  const gate = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = database.transaction(async (other) => {
    await other.raw('lock table api_keys in access exclusive mode');
    locked.resolve();
    await gate.promise;
  });
  await locked.promise;
  const first = create('outage');
  await eventually(async () => (await database('idempotency_keys').whereNull('answer').first()) && true, 'the claim');
  await database.raw('alter table idempotency_keys rename to idempotency_keys_away');
  gate.resolve();
  await holding;
  expect((await first).status).toBe(500);
  await database.raw('alter table idempotency_keys_away rename to idempotency_keys');
  const repeated = await eventually(async () => {
    const answer = await create('outage');
    return answer.body.code === 'idempotency_in_progress' ? undefined : answer;
  }, 'the key to be free');
  expect(repeated.status).toBe(201);
  expect(await count()).toBe(1);
});

it('has one effect when the commit succeeded and only its answer was lost', async () => {
  const network = await startFlakyProxy(app.databaseUrl);
  const other = await startApp({}, { databaseUrl: network.url, ownerUrl: app.ownerUrl });
  const ask = () =>
    other.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'CI', scopes: ['*'] },
      headers: { authorization: `Bearer ${ada.tokens.accessToken}`, 'idempotency-key': 'lost' },
    });
  network.loseCommitAfter('set answer = excluded.answer');
  expect((await ask()).status).toBe(503);
  const repeat = await ask();
  expect([repeat.status, repeat.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  expect(await count()).toBe(1);
  await other.close();
  await network.close();
});

it('recognises a repeat, and opens its answer, after SECRET_KEY was rotated', async () => {
  const [old, current] = ['the old secret key 0123456789abcdef', 'the current secret key 0123456789'];
  const rotated = await startApp({}, app);
  const ask = (name: string) =>
    rotated.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name, scopes: ['*'] },
      headers: { authorization: `Bearer ${ada.tokens.accessToken}`, 'idempotency-key': 'rotated' },
    });
  rotated.ports.keyring = createKeyring(old);
  const first = await ask('CI');
  rotated.ports.keyring = createKeyring(current, [old]);
  const repeat = await ask('CI');
  expect([repeat.status, repeat.body]).toEqual([201, first.body]);
  expect((await ask('other')).body.code).toBe('idempotency_key_reused');
  await rotated.close();
});

it('stores answers sealed and inputs unguessable', async () => {
  const { body } = await create('sealed', { name: 'very recognisable', scopes: ['*'] });
  const rows = await app.rows('idempotency_keys').whereNotNull('answer');
  const kept = Buffer.concat(rows.flatMap((row) => [row.answer, row.inputMac, row.keyHash])).toString('latin1');
  expect(kept).not.toContain(body.secret);
  expect(kept).not.toContain('recognisable');
});

it('refuses one key for several calls', async () => {
  const answer = await ada.request('/trpc/apiKeys.create,apiKeys.create?batch=1', {
    method: 'POST',
    body: { 0: { name: 'a', scopes: ['*'] }, 1: { name: 'b', scopes: ['*'] } },
    headers: { 'idempotency-key': 'batch' },
  });
  expect(answer.body[0].error.data.problem.code).toBe('idempotency_key_in_batch');
  expect(await count()).toBe(0);
});
