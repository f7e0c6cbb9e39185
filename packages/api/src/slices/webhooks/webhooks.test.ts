import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, overtake, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { type Received, type Receiver, startReceiver } from '../../../test/receiver.ts';
import { systemContext } from '../../context.ts';
import { insertMoved } from './delivery/move.ts';

const PATH = '/api/v1/webhooks';
let app: TestApp;
let receiver: Receiver;
let other: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  other = await startReceiver();
  app = await startApp({ WEBHOOK_ALLOWED_TARGETS: `${receiver.target},${other.target}` });
});
afterAll(async () => {
  await app.close();
  await receiver.close();
  await other.close();
});
let org: TestOrganization;
let owner: Person['request'];
beforeEach(async () => {
  for (const { received, answer } of [receiver, other]) {
    received.length = 0;
    answer(204);
  }
  await app.rows('webhooks').update({ enabled: false });
  org = await makeOrganization(app);
  const body = { name: 'of the tests', scopes: ['*'] };
  const { body: key } = await org.as(org.owner)('/api/v1/api-keys', { method: 'POST', body });
  // A token would end when a test moves the clock.
  owner = (path, request) => app.request(path, { ...request, headers: { 'x-api-key': key.secret } });
});

const post = (body: unknown, path = PATH, as = owner) => as(path, { method: 'POST', body });
async function webhook(body: object = {}, to = receiver) {
  const answer = await post({ url: to.url, events: ['api_key.*'], ...body });
  expect(answer.status).toBe(201);
  return answer.body;
}
const makeKey = (name = 'CI') => post({ name, scopes: [] }, '/api/v1/api-keys').then(({ body }) => body);
const deliveriesOf = async (id: string, query = '') => (await owner(`${PATH}/${id}/deliveries${query}`)).body.items;
const settled = (id: string, count = 1) =>
  eventually(async () => {
    const items: { id: string; status: string; eventId: string }[] = await deliveriesOf(id);
    return items.length >= count && items.every(({ status }) => status !== 'PENDING') ? items : undefined;
  }, 'settled deliveries');
const got = (from: Receiver, count = 1) =>
  eventually(() => (from.received.length >= count ? from.received : undefined), `${count} deliveries`);
/** What a webhook got, once so many deliveries are settled: the newest first, and nothing of an earlier test. */
const sentTo = async (id: string, count = 1): Promise<Received[]> =>
  (await settled(id, count)).map(
    ({ eventId }) => receiver.received.find(({ headers }) => headers['webhook-id'] === eventId)!,
  );
/** Makes what waits due now, as the clock would later. */
async function later(ms: number): Promise<void> {
  app.advance(ms);
  await app.rows.raw("select pg_notify('deliveries', '')");
}
const attemptsOf = async (id: string) =>
  Number(
    (
      await app
        .rows('webhook_attempts')
        .where({ webhookId: app.ports.ids.decode('whk', id) })
        .count()
    )[0]?.['count'],
  );
/** Until so many attempts of a webhook that fails are stored. */
const failed = (id: string, attempts: number) =>
  eventually(async () => ((await attemptsOf(id)) === attempts ? true : undefined), `${attempts} attempts`);
const sweep = () =>
  app.ports.jobs.all
    .find(({ name }) => name === 'webhooks.sweep')!
    .run(systemContext(app.ports, 'test'), undefined, runControl());
const health = (id: string) => app.rows('webhook_health').where({ webhookId: app.ports.ids.decode('whk', id) });

describe('a delivery', () => {
  it('is a Standard Webhook, which two libraries of others verify', async () => {
    const { id, secret } = await webhook({ headers: { Authorization: 'Bearer theirs' } });
    const key = await makeKey();
    const [{ headers, body }] = (await got(receiver)) as [Received];
    const sent = JSON.parse(body);
    expect(sent).toMatchObject({ type: 'api_key.created', data: { id: key.id } });
    expect(Date.parse(sent.timestamp)).toBeLessThanOrEqual(Date.now());
    expect(headers).toMatchObject({ authorization: 'Bearer theirs', 'content-type': 'application/json' });
    const signed = headers as Record<string, string>;
    expect(new StandardWebhook(secret).verify(body, signed)).toEqual(sent);
    expect(() => new SvixWebhook(secret).verify(body, signed)).not.toThrow();
    expect(() => new StandardWebhook(secret).verify(`${body} `, signed)).toThrow('No matching signature');
    const [delivery] = await settled(id);
    expect(delivery).toMatchObject({
      status: 'SUCCEEDED',
      attempts: 1,
      statusCode: 204,
      eventId: signed['webhook-id'],
    });
    const { body: details } = await owner(`${PATH}/${id}/deliveries/${delivery!.id}`);
    expect(details).toMatchObject({
      payload: sent,
      attemptLog: [{ number: 1, succeeded: true, statusCode: 204, requestHeaders: { Authorization: '[hidden]' } }],
    });
    expect(JSON.stringify(details)).not.toContain('Bearer theirs');
  });

  it('goes to every webhook whose patterns match, and to no other', async () => {
    const all = await webhook({ events: ['*'] });
    const exact = await webhook({ events: ['api_key.revoked', 'api_key.created'] }, other);
    await webhook({ events: ['member.*'] }, other);
    await webhook({ enabled: false }, other);
    const stranger = await makeOrganization(app);
    await post({ url: other.url, events: ['*'] }, PATH, stranger.as(stranger.owner));
    await makeKey();
    await settled(exact.id);
    await settled(all.id, 4); // the two other webhooks, theirs, and the key
    expect(other.received.map(({ body }) => JSON.parse(body).type)).toEqual(['api_key.created']);
  });

  it('is not made of what happened before its webhook was created', async () => {
    const { id } = await app.rows.transaction(async (db) => {
      await db('webhook_cursor').forUpdate(); // events wait for their deliveries
      await makeKey('before');
      app.advance(1000);
      return webhook();
    });
    await makeKey('after');
    expect((await sentTo(id)).map(({ body }) => JSON.parse(body).data.name)).toEqual(['after']);
  });

  it('does not tell a webhook about itself, nor about what was sent to another about a webhook', async () => {
    const first = await webhook({ events: ['*'] });
    const second = await webhook({ events: ['*'] }, other);
    await owner(`${PATH}/${second.id}`, { method: 'PATCH', body: { description: 'x' } });
    await settled(first.id, 2);
    const types = async ({ id }: { id: string }) =>
      (await deliveriesOf(id)).map(({ eventType }: { eventType: string }) => eventType).toSorted();
    await makeKey();
    await settled(second.id, 2);
    await eventually(async () => ((await types(first)).length === 4 ? true : undefined), 'all deliveries');
    expect(await types(first)).toEqual([
      'api_key.created',
      'webhook.created',
      'webhook.delivery_succeeded',
      'webhook.updated',
    ]);
    expect(await types(second)).toEqual(['api_key.created', 'webhook.delivery_succeeded']);
  });

  it('carries both signatures while a rotated secret overlaps, and one after it', async () => {
    const { id, secret: first } = await webhook();
    const rotate = async (body: object): Promise<string> =>
      (await post(body, `${PATH}/${id}/rotate-secret`)).body.secret;
    let sent = 0;
    /** Those of the secrets whose signature the next delivery has. */
    async function signers(...secrets: string[]): Promise<string[]> {
      await makeKey();
      const [{ headers, body }] = (await sentTo(id, ++sent)) as [{ headers: Record<string, string>; body: string }];
      const sentAt = new Date(Number(headers['webhook-timestamp']) * 1000);
      const signatures = headers['webhook-signature']!.split(' ');
      const found = secrets.filter((secret) =>
        signatures.includes(new StandardWebhook(secret).sign(headers['webhook-id']!, sentAt, body)),
      );
      expect(signatures).toHaveLength(found.length);
      return found;
    }
    expect(await signers(first)).toEqual([first]);
    const second = await rotate({ overlapSeconds: 3600 });
    expect(await signers(first, second)).toEqual([first, second]);
    app.advance(3_500_000);
    expect(await signers(first, second)).toEqual([first, second]);
    app.advance(101_000);
    expect(await signers(first, second)).toEqual([second]);
    const third = await rotate({});
    app.advance(86_000_000);
    expect(await signers(first, second, third)).toEqual([second, third]);
    app.advance(401_000);
    expect(await signers(first, second, third)).toEqual([third]);
    const fourth = await rotate({ overlapSeconds: 0 });
    expect(await signers(first, second, third, fourth)).toEqual([fourth]);
  });

  it('carries the headers that the webhook has now', async () => {
    const { id } = await webhook({ headers: { 'X-Key': 'first' } });
    await makeKey();
    await settled(id);
    await owner(`${PATH}/${id}`, { method: 'PATCH', body: { headers: { 'X-Other': 'second' } } });
    await makeKey();
    expect((await sentTo(id, 2)).map(({ headers }) => [headers['x-key'], headers['x-other']])).toEqual([
      [undefined, 'second'],
      ['first', undefined],
    ]);
  });

  it('is sent again as the schedule says, then fails, and can be recovered', async () => {
    receiver.answer(500);
    const since = new Date(app.ports.clock.now().getTime() - 1000).toISOString();
    const { id } = await webhook();
    await makeKey();
    for (const [attempts, pauseS] of [5, 300, 1800, 7200, 18_000, 36_000, 36_000].entries()) {
      await eventually(
        async () => ((await attemptsOf(id)) === attempts + 1 ? true : undefined),
        `attempt ${attempts + 1}`,
      );
      const [{ nextAttemptAt }] = await deliveriesOf(id);
      const inS = (Date.parse(nextAttemptAt) - app.ports.clock.now().getTime()) / 1000;
      expect(inS).toBeGreaterThan(pauseS * 0.89 - 5);
      expect(inS).toBeLessThan(pauseS * 1.11);
      await later(inS * 1000 + 10);
    }
    const [failed] = await settled(id);
    expect(failed).toMatchObject({ status: 'FAILED', attempts: 8, error: 'The receiver answered 500.' });
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);

    receiver.answer(204);
    expect((await post({ since, dryRun: true }, `${PATH}/${id}/recover`)).body).toEqual({ jobId: null, count: 1 });
    const { status, body } = await post({ since }, `${PATH}/${id}/recover`);
    expect([status, body]).toEqual([202, { jobId: expect.stringMatching(/^job_/), count: 1 }]);
    const again = await eventually(
      async () => (await deliveriesOf(id)).find((delivery: { status: string }) => delivery.status === 'SUCCEEDED'),
      'the recovered delivery',
    );
    expect(again).toMatchObject({ id: failed!.id, attempts: 9 });
  });

  it.each([
    ['as long as the receiver asks', 429, () => '600', [590, 3600]],
    ['until the receiver asks', 503, (now: Date) => new Date(now.getTime() + 7_200_000).toUTCString(), [7100, 36_000]],
    ['a day where the receiver asks for longer', 429, () => '999999999', [86_300, 172_800]],
    ['a day where the receiver asks for a later year', 503, () => 'Fri, 31 Dec 9999 23:59:59 GMT', [86_300, 172_800]],
    ['as the schedule says where that is no time', 429, () => 'soon', [0, 3600]],
    ['as the schedule says where that is over', 503, () => 'Fri, 31 Dec 1999 23:59:59 GMT', [0, 3600]],
    ['as the schedule says where the receiver is not busy', 500, () => '86400', [0, 3600]],
  ] as const)('waits %s', async (_, status, retryAfter, [leastS, mostS]) => {
    const now = app.ports.clock.now();
    receiver.answer(status, { 'retry-after': retryAfter(now) });
    const { id } = await webhook();
    await makeKey();
    const { nextAttemptAt } = await eventually(async () => {
      const [delivery] = await deliveriesOf(id);
      return delivery?.statusCode === status ? delivery : undefined;
    }, 'the first attempt');
    const pauseS = (Date.parse(nextAttemptAt) - now.getTime()) / 1000;
    expect(pauseS).toBeGreaterThan(leastS);
    expect(pauseS).toBeLessThan(mostS);
  });

  it.each([
    [301, 'The receiver answered 301: redirects are not followed.'],
    [199 + 201, 'The receiver answered 400.'],
  ])('answered %i has failed', async (status, error) => {
    receiver.answer(status, { location: other.url });
    const { id } = await webhook();
    await makeKey();
    await eventually(async () => ((await deliveriesOf(id))[0]?.error === error ? true : undefined), error);
    expect(other.received).toEqual([]);
  });

  it('stores any answer, cut', async () => {
    receiver.answer((res) =>
      res.writeHead(200, { 'set-cookie': 'a=b', 'x-long': 'x'.repeat(2000) }).end(`\0😀${'y'.repeat(100_000)}`),
    );
    const { id } = await webhook();
    await makeKey();
    const [delivery] = await settled(id);
    const { attemptLog } = (await owner(`${PATH}/${id}/deliveries/${delivery!.id}`)).body;
    expect(attemptLog[0].responseBody).toMatch(/^😀y+$/);
    expect(attemptLog[0].responseBody.length).toBeLessThanOrEqual(4096);
    expect(attemptLog[0].responseHeaders).not.toHaveProperty('set-cookie');
    expect(attemptLog[0].responseHeaders['x-long']).toHaveLength(500);
  });

  it('shows its payload, and what the receiver may repeat of it, only to those who may read the event', async () => {
    receiver.answer((res) => res.writeHead(200).end('an answer'));
    const { id } = await webhook();
    await makeKey();
    await settled(id);
    await post({ eventType: 'api_key.created' }, `${PATH}/${id}/test`);
    const items = await settled(id, 2);
    const shownTo = async (scopes: string[]) => {
      const { body: key } = await post({ name: 'reader', scopes }, '/api/v1/api-keys');
      const headers = { 'x-api-key': key.secret };
      const shown = await Promise.all(
        items.map(({ id: delivery }) => app.request(`${PATH}/${id}/deliveries/${delivery}`, { headers })),
      );
      return shown.map(({ body }) => [body.isTest, body.payload?.type, body.attemptLog[0].responseBody]);
    };
    const [example, event] = [
      [true, 'api_key.created', 'an answer'],
      [false, 'api_key.created', 'an answer'],
    ];
    expect(await shownTo(['webhooks:read', 'api_keys:read'])).toEqual([example, event]);
    expect(await shownTo(['webhooks:read'])).toEqual([example, [false, undefined, null]]);
  });

  it('shows no value of your own headers where the receiver repeats it', async () => {
    const [secret, quoted] = ['bearer-of-the-receiver', 'one"two-of-the-receiver'];
    receiver.answer((res) => {
      const headers = res.req.headers;
      res.writeHead(200, { 'x-repeats': `Bearer ${secret} of you` }).end(JSON.stringify(headers));
    });
    const { id } = await webhook({ headers: { Authorization: `Bearer ${secret}`, 'X-Quoted': quoted } });
    await makeKey();
    const [delivery] = await settled(id);
    const { body } = await owner(`${PATH}/${id}/deliveries/${delivery!.id}`);
    const { responseBody, responseHeaders } = body.attemptLog[0];
    expect(responseHeaders['x-repeats']).toBe('Bearer [hidden] of you');
    expect(JSON.parse(responseBody)).toMatchObject({
      authorization: 'Bearer [hidden]',
      'webhook-id': delivery!.eventId,
    });
    expect(JSON.stringify(body)).not.toContain('of-the-receiver');
  });

  it.each([
    ['only in part where it is cut', (secret: string) => 'y'.repeat(4090) + secret],
    ['so often that what is shown moves', (secret: string) => `${secret} `.repeat(400)],
  ])('shows none that the receiver repeats %s', async (_, answerOf) => {
    const secret = 'bearer-of-the-receiver';
    receiver.answer((res) => void res.end(answerOf(secret)));
    const { id } = await webhook({ headers: { Authorization: secret } });
    await makeKey();
    const [delivery] = await settled(id);
    const { responseBody } = (await owner(`${PATH}/${id}/deliveries/${delivery!.id}`)).body.attemptLog[0];
    expect(responseBody.length).toBeGreaterThan(1000);
    expect(responseBody).not.toContain('bea');
  });

  it('is sent by another process when its lease is over', async () => {
    const { id } = await webhook();
    receiver.answer(() => undefined); // never answers
    await makeKey();
    await got(receiver);
    receiver.answer(204);
    await later(31_000);
    expect((await got(receiver, 2)).map(({ headers }) => headers['webhook-id'])).toHaveLength(2);
    await settled(id);
  });
});

describe('an attempt', () => {
  it('that ends after its delivery was claimed again is kept, and changes nothing else', async () => {
    const { id } = await webhook({ headers: { 'X-Held': 'yes' } });
    const held = Promise.withResolvers<ServerResponse>();
    receiver.answer((res) => (res.req.headers['x-held'] ? held.resolve(res) : res.writeHead(204).end()));
    await makeKey();
    const late = await held.promise;
    receiver.answer(500);
    await later(31_000);
    await failed(id, 1);
    late.writeHead(204).end();
    await eventually(async () => {
      const webhookId = app.ports.ids.decode('whk', id);
      return (await app.rows('webhook_attempts').where({ webhookId, number: 1 })).length || undefined;
    }, 'the late end');
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'PENDING' }]);
  });
});

describe('a webhook that does not accept events', () => {
  it('is disabled at once by 410', async () => {
    receiver.answer(410);
    const { id } = await webhook();
    await makeKey();
    await settled(id);
    await eventually(async () => ((await owner(`${PATH}/${id}`)).body.enabled ? undefined : true), 'disabled');
    expect((await owner(`${PATH}/${id}`)).body).toMatchObject({ enabled: false, disabledReason: 'GONE' });
  });

  it('is announced after half of five days and disabled after them, and what waited can be recovered', async () => {
    const watching = await webhook({ events: ['webhook.disabling', 'webhook.disabled'] }, other);
    receiver.answer(500);
    const { id } = await webhook();
    await makeKey();
    await failed(id, 1);
    await sweep();
    expect(await health(id)).toMatchObject([{ warnedAt: null }]);
    for (const [at, type] of (['webhook.disabling', 'webhook.disabled'] as const).entries()) {
      for (const nth of [1, 2]) {
        await later(1.3 * 86_400_000);
        await failed(id, at * 2 + nth + 1);
      }
      await sweep();
      await sweep();
      // Settled before the clock moves again: what is under way would be sent once more.
      const announced = await settled(watching.id, at + 1);
      expect(announced).toHaveLength(at + 1);
      expect(announced[0]).toMatchObject({ eventType: type, status: 'SUCCEEDED' });
      const { body } = other.received.find(({ headers }) => headers['webhook-id'] === announced[0]!.eventId)!;
      expect(JSON.parse(body)).toMatchObject({ type, data: { id } });
    }
    expect((await owner(`${PATH}/${id}`)).body).toMatchObject({ enabled: false, disabledReason: 'FAILING' });
    const subjects = () =>
      app.mails.flatMap(({ to, subject }) => (to === org.owner.email && /webhook/.test(subject) ? [subject] : []));
    await eventually(() => (subjects().length === 2 ? true : undefined), 'two mails');
    expect(subjects()).toEqual(['A webhook of “Acme” fails', 'A webhook of “Acme” was disabled']);
    await sweep();
    expect(await settled(id)).toMatchObject([{ status: 'FAILED', error: 'The webhook was disabled.' }]);
    const [abandoned] = await deliveriesOf(id);
    const since = new Date(app.ports.clock.now().getTime() - 10 * 86_400_000).toISOString();
    for (const [operation, input] of [
      ['test', { eventType: 'api_key.created' }],
      [`deliveries/${abandoned.id}/retry`, {}],
      ['recover', { since }],
    ] as const)
      expect(statusAndCode(await post(input, `${PATH}/${id}/${operation}`))).toEqual([409, 'webhook_disabled']);
    expect((await post({ since, dryRun: true }, `${PATH}/${id}/recover`)).body.count).toBe(1);
    const { body } = await owner(`${PATH}/${id}`, { method: 'PATCH', body: { enabled: true } });
    expect(body).toMatchObject({ enabled: true, disabledReason: null });
    expect(await health(id)).toEqual([]);
  });

  it('is not disabled for days in which nothing was sent to it', async () => {
    receiver.answer(500);
    const { id } = await webhook();
    await makeKey();
    await failed(id, 1);
    await app.rows('webhook_deliveries').update({ status: 'FAILED', dueAt: null, settledAt: app.ports.clock.now() });
    app.advance(6 * 86_400_000);
    await sweep();
    expect(await health(id)).toMatchObject([{ warnedAt: null }]);
    await makeKey();
    await failed(id, 2);
    await sweep();
    const { body } = await owner(`${PATH}/${id}/stats`);
    expect(Date.parse(body.failingSince)).toBeGreaterThan(app.ports.clock.now().getTime() - 3_600_000);
    expect((await owner(`${PATH}/${id}`)).body).toMatchObject({ enabled: true });
  });

  it('delays no other: few are under way to one that hangs, and the rest waits', async () => {
    receiver.answer(() => undefined);
    const slow = await webhook();
    const quick = await webhook({}, other);
    await Promise.all(Array.from({ length: 30 }, (_, at) => makeKey(`key ${at}`)));
    await got(other, 30);
    await settled(quick.id, 25);
    expect(receiver.received.length).toBeLessThanOrEqual(10);
    await owner(`${PATH}/${slow.id}`, { method: 'DELETE' });
  });
});

describe('a retry', () => {
  it('of what is accepted while it waits is refused, not missing', async () => {
    receiver.answer(500);
    const { id } = await webhook();
    await makeKey();
    await failed(id, 1);
    const [{ id: deliveryId }] = await deliveriesOf(id);
    const row = { webhookId: app.ports.ids.decode('whk', id) };
    const accepted = insertMoved('taken', {
      status: "'SUCCEEDED'",
      step: 'd.step',
      due_at: 'null',
      status_code: '204',
      error: 'null',
      settled_at: 'now()',
    });
    const answer = await overtake(app, {
      lock: (db) => db('webhook_deliveries').where(row).forUpdate(),
      request: () => owner(`${PATH}/${id}/deliveries/${deliveryId}/retry`, { method: 'POST' }),
      change: (db) =>
        db.raw(`with taken as (delete from webhook_deliveries where webhook_id = ? returning *)${accepted}`, [
          row.webhookId,
        ]),
    });
    expect(statusAndCode(answer)).toEqual([409, 'delivery_already_succeeded']);
  });
});

describe('a recovery', () => {
  it('leaves what has failed after it was requested: that would be sent again without end', async () => {
    const { id } = await webhook();
    await makeKey();
    const [delivery] = await settled(id);
    const now = app.ports.clock.now().getTime();
    const at = (ms: number) => new Date(now + ms);
    const which = { webhookId: app.ports.ids.decode('whk', id) };
    await app
      .rows('webhook_deliveries')
      .where(which)
      .update({ status: 'FAILED', settledAt: at(0) });
    const { organizationId } = await app.rows('webhook_deliveries').where(which).first('organizationId');
    const recover = app.ports.jobs.named('webhooks.recover')!;
    const recoverRequestedAt = (ms: number) =>
      recover.run(
        systemContext(app.ports, 'test'),
        {
          organizationId,
          ...which,
          since: at(-86_400_000).toISOString(),
          until: at(86_400_000).toISOString(),
          requestedAt: at(ms).toISOString(),
          count: 1,
        },
        runControl(),
      );
    await recoverRequestedAt(-1);
    expect(await deliveriesOf(id)).toMatchObject([{ id: delivery!.id, status: 'FAILED', attempts: 1 }]);
    await recoverRequestedAt(0);
    const again = await eventually(async () => {
      const [found] = await deliveriesOf(id);
      return found.status === 'SUCCEEDED' ? found : undefined;
    }, 'the recovered delivery');
    expect(again).toMatchObject({ id: delivery!.id, attempts: 2 });
  });
});

describe('webhooks of a deleted organization', () => {
  const rowsOf = (id: string) => app.rows('webhook_deliveries').where({ webhookId: app.ports.ids.decode('whk', id) });

  it('get nothing while it is deleted, and everything once it is restored', async () => {
    const person = org.as(org.owner);
    const { id } = await webhook({ events: ['api_key.*', 'organization.*'] });
    receiver.answer(500);
    await makeKey();
    await failed(id, 1);
    receiver.answer(204);
    receiver.received.length = 0;
    expect((await person(org.path, { method: 'DELETE' })).status).toBe(204);
    await eventually(async () => ((await rowsOf(id)).length === 2 ? true : undefined), 'the delivery of the deletion');
    const stranger = await makeOrganization(app);
    await post({ url: other.url, events: ['api_key.created'] }, PATH, stranger.as(stranger.owner));
    await later(10_000); // what failed is due
    await post({ name: 'theirs', scopes: [] }, '/api/v1/api-keys', stranger.as(stranger.owner));
    await got(other); // claimed after what is due longer
    expect(receiver.received).toEqual([]);

    expect((await person(`${org.path}/restore`, { method: 'POST' })).status).toBe(200);
    const types = (await got(receiver, 3)).map(({ body }) => JSON.parse(body).type);
    expect(types.toSorted()).toEqual(['api_key.created', 'organization.deleted', 'organization.restored']);
    await settled(id, 3);
  });
});

describe('what cannot be sent or stored', () => {
  it('is a failed attempt where the secret that sealed it is gone, and no attempt without end', async () => {
    const { id } = await webhook();
    await app.rows('webhooks').update({ secretSealed: Buffer.from('sealed under another secret') });
    await makeKey();
    const [delivery] = await eventually(async () => {
      const items = await deliveriesOf(id);
      return items[0]?.error ? items : undefined;
    }, 'the outcome');
    expect(delivery).toMatchObject({ status: 'PENDING', attempts: 1, error: 'The delivery could not be sent.' });
    expect(receiver.received).toEqual([]);
  });

  it('is stored where no job has made the partition of the day', async () => {
    app.advance(12 * 86_400_000);
    const { id } = await webhook();
    await makeKey();
    expect(await settled(id)).toMatchObject([{ status: 'SUCCEEDED', attempts: 1 }]);
    expect(await attemptsOf(id)).toBe(1);
    expect(receiver.received).toHaveLength(1);
  });

  it('pauses after ten failures in a row, then tries one delivery at a time until one is accepted', async () => {
    const healthy = await webhook({ events: ['member.left'] }, other);
    let examples = 0;
    /** Until deliveries were claimed after all that was due before. */
    async function claim(): Promise<void> {
      await post({ eventType: 'member.left' }, `${PATH}/${healthy.id}/test`);
      await settled(healthy.id, ++examples);
    }
    receiver.answer(500);
    const { id } = await webhook();
    await Promise.all(Array.from({ length: 15 }, (_, at) => makeKey(`key ${at}`)));
    const claimed = async () =>
      (await deliveriesOf(id)).reduce((sum: number, { attempts }: { attempts: number }) => sum + attempts, 0);
    /** Until so many failures are stored, and nothing is under way. The pause is then made longer than the test. */
    async function failures(least: number): Promise<number> {
      const count = await eventually(async () => {
        const [found] = await health(id);
        const isPausing = found?.failures >= least && found.resumesAt > app.ports.clock.now();
        return isPausing && found.failures === (await claimed()) ? found.failures : undefined;
      }, `${least} failures`);
      await health(id).update({ resumesAt: new Date(app.ports.clock.now().getTime() + 3_600_000) });
      return count;
    }
    const before = await failures(10);
    await later(6000); // the second attempts are due
    await claim();
    expect(await claimed()).toBe(before);
    // Who asks for it gets it tried at once: one delivery, and a new pause where that fails.
    let tries = before;
    const [{ id: deliveryId }] = await deliveriesOf(id);
    for (const [operation, input] of [
      [`deliveries/${deliveryId}/retry`, {}],
      ['test', { eventType: 'member.left' }],
      ['recover', { since: new Date(app.ports.clock.now().getTime() - 86_400_000).toISOString() }],
    ] as const) {
      expect((await post(input, `${PATH}/${id}/${operation}`)).status).toBe(202);
      await failures(++tries);
      await claim();
      expect(await claimed()).toBe(tries);
    }
    await later(3_700_000);
    await claim();
    expect(await claimed()).toBe(tries + 1);
    await failures(tries + 1);
    receiver.answer(204);
    await later(3_700_000);
    await eventually(async () => ((await health(id))[0].failures === 0 ? true : undefined), 'an accepted delivery');
    expect(await settled(id, 16)).toHaveLength(16);
  });
});

describe('refusals', () => {
  it.each([
    ['http://example.com/', 'target_not_allowed'],
    ['https://127.0.0.1/', 'target_not_allowed'],
    ['https://[::ffff:10.0.0.1]/', 'target_not_allowed'],
    ['https://0x7f.1/', 'target_not_allowed'],
    ['https://user:secret@example.com/', 'target_not_allowed'],
    ['https://example.com:22/', 'target_not_allowed'],
    ['ftp://example.com/', 'target_not_allowed'],
    ['nonsense', 'target_not_allowed'],
  ])('of the target %s', async (url, code) => {
    expect(statusAndCode(await post({ url, events: ['*'] }))).toEqual([400, code]);
  });

  it.each([
    [{ Host: 'x' }],
    [{ 'Webhook-Signature': 'v1,x' }],
    [{ 'Svix-Signature': 'v1,x' }],
    [{ 'HTTP2-Settings': 'x' }],
    [{ 'content-length': '1' }],
    [{ 'Transfer-Encoding': 'chunked' }],
    [{ 'X-Bad Name': 'x' }],
    [{ 'X-Line': 'a\r\nb: c' }],
    [{ 'x-twice': '1', 'X-Twice': '2' }],
    [{ ['x'.repeat(101)]: '1' }],
    [{ 'x-large': 'x'.repeat(1001) }],
    [Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`x-${at}`, '1']))],
  ])('of the headers %j', async (headers) => {
    const answer = await post({ url: receiver.url, events: ['*'], headers });
    expect(statusAndCode(answer)).toEqual([400, 'header_not_allowed']);
    expect(answer.body.errors).toHaveLength(1);
  });

  it('of events that do not exist, or that the caller may not read', async () => {
    for (const pattern of ['api_key.crated', 'nothing.*', 'api_key', 'auth.logged_in', '**'])
      expect(statusAndCode(await post({ url: receiver.url, events: [pattern] }))).toEqual([400, 'unknown_event_type']);
    expect(statusAndCode(await post({ url: receiver.url, events: ['*'], eventVersion: 99 }))).toEqual([
      400,
      'unknown_event_version',
    ]);
    const scopes = ['webhooks:create', 'webhooks:update'];
    const { body: key } = await post({ name: 'CI', scopes }, '/api/v1/api-keys');
    const { id } = await webhook({ events: ['webhook.*'] });
    const events = ['api_key.created'];
    for (const [method, path, body] of [
      ['POST', PATH, { url: receiver.url, events }],
      ['PATCH', `${PATH}/${id}`, { events: ['webhook.*', ...events] }],
      ['PATCH', `${PATH}/${id}`, { url: other.url }],
      ['PATCH', `${PATH}/${id}`, { url: other.url, events: ['webhook.*'] }],
    ] as const) {
      const answer = await app.request(path, { method, body, headers: { 'x-api-key': key.secret } });
      expect(statusAndCode(answer)).toEqual([403, 'event_not_allowed']);
    }
    const kept = { url: receiver.url, events: ['webhook.*'], description: 'the same' };
    const answer = await app.request(`${PATH}/${id}`, {
      method: 'PATCH',
      body: kept,
      headers: { 'x-api-key': key.secret },
    });
    expect([answer.status, answer.body]).toMatchObject([200, kept]);
  });

  it('of a retry of what was accepted, of a reversed range, and of one that is not kept', async () => {
    const { id } = await webhook();
    await makeKey();
    const [delivery] = await settled(id);
    expect(statusAndCode(await post({}, `${PATH}/${id}/deliveries/${delivery!.id}/retry`))).toEqual([
      409,
      'delivery_already_succeeded',
    ]);
    const at = '2026-01-01T00:00:00Z';
    const old = new Date(app.ports.clock.now().getTime() - 31 * 86_400_000).toISOString();
    expect(statusAndCode(await owner(`${PATH}/${id}/deliveries?since=${at}&until=${at}`))).toEqual([
      400,
      'time_range_reversed',
    ]);
    const ahead = (ms: number) => new Date(app.ports.clock.now().getTime() + ms).toISOString();
    for (const [range, code] of [
      [{}, 'time_range_unbounded'],
      [{ until: ahead(0) }, 'time_range_unbounded'],
      [{ since: old }, 'time_range_too_long'],
      [{ since: ahead(-1000), until: ahead(-2000) }, 'time_range_reversed'],
      [{ since: ahead(1e6), until: ahead(2e6) }, 'time_range_reversed'],
    ] as const)
      expect(statusAndCode(await post(range, `${PATH}/${id}/recover`))).toEqual([400, code]);
  });

  it('of more than 100 requests to send in a minute, of any kind', async () => {
    const { id } = await webhook({ enabled: false });
    const deliveryId = app.ports.ids.encode('dlv', 1);
    const since = new Date(app.ports.clock.now().getTime() - 1000).toISOString();
    const counting = { since, dryRun: true };
    const send = (operation: string, input: object) => post(input, `${PATH}/${id}/${operation}`);
    await Promise.all(Array.from({ length: 110 }, () => send('recover', counting)));
    for (const [operation, input] of [
      ['test', { eventType: 'api_key.created' }],
      [`deliveries/${deliveryId}/retry`, {}],
      ['recover', counting],
    ] as const) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => send(operation, input)));
      expect(answers.map(statusAndCode)).toContainEqual([429, 'rate_limited']);
    }
  });
});

describe('the catalogue of events', () => {
  it('has the JSON Schema of each, which its example and those of later versions satisfy', async () => {
    const { body } = await org.as(org.owner)(`${PATH}/event-types`);
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false });
    for (const { name, schema, example, description, version, permission } of body.items) {
      expect({ name, description, version, permission }).toMatchObject({
        name: expect.stringMatching(/^[a-z_]+\.[a-z_]+$/),
        description: expect.stringMatching(/\.$/),
        version: expect.any(Number),
        permission: expect.stringContaining(':'),
      });
      const validate = ajv.compile(schema);
      expect([name, validate(example), validate.errors]).toEqual([name, true, null]);
      expect([name, validate({ ...example, addedLater: 1 }), validate({})]).toEqual([name, true, false]);
    }
  });

  it('is the list of what the documents have', async () => {
    const { body } = await org.as(org.owner)(`${PATH}/event-types`);
    const names = body.items.map(({ name }: { name: string }) => name);
    const read = (name: string) =>
      JSON.parse(readFileSync(new URL(`../../../../../docs/${name}`, import.meta.url), 'utf8'));
    expect(Object.keys(read('openapi.json').webhooks)).toEqual(names);
    expect(Object.keys(read('asyncapi.json').channels.webhooks.messages)).toHaveLength(names.length);
  });
});

describe('a person of the organization', () => {
  let viewer: Person;
  it('sends an example, which no other reader sees', async () => {
    viewer = await org.join('VIEWER');
    const { id } = await webhook();
    const answer = await post({ eventType: 'organization.updated' }, `${PATH}/${id}/test`);
    expect([answer.status, answer.body.isTest]).toEqual([202, true]);
    const [{ body, headers }] = (await got(receiver)) as [Received];
    expect(JSON.parse(body)).toMatchObject({ type: 'organization.updated' });
    expect(headers['webhook-signature']).toMatch(/^v1,/);
    expect(await settled(id)).toHaveLength(1);
    expect((await org.as(viewer)(`${PATH}/${id}/stats`)).body).toMatchObject({
      attempts: 1,
      succeeded: 1,
      successRate: 1,
    });
  });

  it('sends again at once what waits for its next attempt', async () => {
    receiver.answer(503);
    const { id } = await webhook();
    await makeKey();
    await eventually(async () => ((await deliveriesOf(id))[0]?.statusCode === 503 ? true : undefined), 'the failure');
    receiver.answer(204);
    const [{ id: deliveryId }] = await deliveriesOf(id);
    expect((await post({}, `${PATH}/${id}/deliveries/${deliveryId}/retry`)).status).toBe(202);
    expect(await settled(id)).toMatchObject([{ status: 'SUCCEEDED' }]);
  });

  it('sees how a webhook has been answering by day, however few attempts are still kept', async () => {
    const { id } = await webhook();
    await makeKey('one');
    await makeKey('two');
    await settled(id, 2);
    const yesterday = app.ports.clock.now().toISOString().slice(0, 10);
    app.advance(86_400_000);
    receiver.answer(500);
    await makeKey('three');
    await eventually(async () => ((await attemptsOf(id)) === 3 ? true : undefined), 'the third attempt');
    await app.rows('webhook_attempts').delete();
    const { body } = await owner(`${PATH}/${id}/stats?days=2`);
    expect(body).toMatchObject({ attempts: 3, succeeded: 2, successRate: 2 / 3, p50Ms: expect.any(Number) });
    expect(body.days).toMatchObject([
      { attempts: 1, succeeded: 0 },
      { day: yesterday, attempts: 2, succeeded: 2 },
    ]);
    expect((await owner(`${PATH}/${id}/stats?days=1`)).body).toMatchObject({ attempts: 1, days: [{ succeeded: 0 }] });
  });

  it('finds deliveries by status and type', async () => {
    const { id } = await webhook({ events: ['api_key.*'] });
    const { id: keyId } = await makeKey();
    await owner(`/api/v1/api-keys/${keyId}`, { method: 'DELETE' });
    await settled(id, 2);
    expect(await deliveriesOf(id, '?status=FAILED')).toEqual([]);
    expect(await deliveriesOf(id, '?eventType=api_key.revoked')).toMatchObject([{ eventType: 'api_key.revoked' }]);
  });
});
