import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOutbound } from '@rentapi/platform/outbound';
import { REFUSED_HOSTS, REFUSED_URLS } from '@rentapi/platform/outbound/refused-hosts.proofs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';
import { makeDue } from './delivery/due.ts';
import { WebhookModel } from './model.ts';

const PATH = '/api/v1/webhooks';
let app: TestApp;
let org: TestOrganization;
let connections = 0;
/** Of this machine: whatever leads here and is not stopped is counted. */
const listener = createServer((_, res) => res.end()).on('connection', () => connections++);
let port = 0;
/** URLs of every kind that must not be called, each at the port of the listener. */
let urls: string[];

beforeAll(async () => {
  listener.listen(0, '::');
  await once(listener, 'listening');
  ({ port } = listener.address() as AddressInfo);
  app = await startApp();
  org = await makeOrganization(app);
  app.ports.outbound.close();
  // Only the table must keep it from the listener: the port is one that may be called, and every name leads there.
  app.ports.outbound = createOutbound({
    allowedTargets: [],
    settingName: 'WEBHOOK_ALLOWED_TARGETS',
    ports: [443, port],
    resolve: async () => ['127.0.0.1'],
  });
  urls = [
    ...Object.values(REFUSED_HOSTS).flatMap((hosts) => hosts.map((host) => `https://${host}:${port}/`)),
    ...REFUSED_URLS.map(([url]) => url.replace('127.0.0.1/', `127.0.0.1:${port}/`)),
  ];
});
afterAll(async () => {
  await app.close();
  listener.closeAllConnections();
  listener.close();
});

const create = (url: string) => org.as(org.owner)(PATH, { method: 'POST', body: { url, events: ['member.left'] } });

/** A webhook as it was stored before its address was refused, and an event for it. */
async function deliverTo(url: string): Promise<number> {
  const { ports } = app;
  const organizationId = ports.ids.decode('org', org.id);
  const now = ports.clock.now();
  const { id } = await WebhookModel.add(
    { db: ports.database, organization: { id: organizationId } },
    {
      url,
      description: null,
      events: ['member.left'],
      eventVersion: 1,
      headersSealed: ports.webhooks.seal('{}', organizationId),
      headerNames: [],
      secretSealed: ports.webhooks.seal('whsec_c2VjcmV0', organizationId),
      enabled: true,
      createdAt: now,
      updatedAt: now,
    },
  );
  await app.rows('webhook_deliveries').insert({
    organizationId,
    webhookId: id,
    eventId: id,
    eventType: 'member.left',
    payload: {},
    status: 'PENDING',
    dueAt: now,
    createdAt: now,
  });
  await makeDue(app.rows, { organizationId, webhookId: id }, now);
  return id;
}

describe('an address that is not of the public internet (V13.2.4, V13.2.5)', () => {
  it('is refused when a webhook is created or changed', async () => {
    const { body } = await create('https://93.184.215.14/');
    for (const url of urls) {
      const refused = { code: 'target_not_allowed', errors: [{ path: 'url' }] };
      const created = await create(url);
      expect([created.status, created.body], url).toMatchObject([400, refused]);
      const changed = await org.as(org.owner)(`${PATH}/${body.id}`, { method: 'PATCH', body: { url } });
      expect([changed.status, changed.body], url).toMatchObject([400, refused]);
    }
    expect(connections).toBe(0);
  });

  it('is not connected to when an event is delivered, even by a name that led elsewhere when it was stored', async () => {
    const stored = [...urls, `https://rebind.example:${port}/`];
    expect((await create(stored.at(-1)!)).status).toBe(201);
    const ids = await Promise.all(stored.map(deliverTo));
    const attempts = await eventually(async () => {
      const rows = await app.rows('webhook_attempts').whereIn('webhookId', ids);
      return rows.length >= ids.length ? rows : undefined;
    }, 'an attempt of each');
    expect(attempts.filter(({ succeeded, statusCode }) => succeeded || statusCode !== null)).toEqual([]);
    const unexplained = attempts.filter(
      ({ error }) => !/WEBHOOK_ALLOWED_TARGETS=|user and password|not the URL/.test(error),
    );
    expect(unexplained.map(({ error }) => error)).toEqual([]);
    expect(connections).toBe(0);
  });
});

describe('a host that the operator has not listed (V13.2.4)', () => {
  it('is refused by name, and a listed one is not', async () => {
    const listed = await startApp({
      OUTBOUND_ALLOWED_HOSTS: '*.example.org',
      BREACH_LIST_URL: 'https://breaches.example.com/range',
    });
    const { as, owner } = await makeOrganization(listed);
    const creating = (url: string) => as(owner)(PATH, { method: 'POST', body: { url, events: ['member.left'] } });
    const refused = await creating('https://example.com/');
    expect(refused.body).toMatchObject({
      code: 'target_not_allowed',
      errors: [{ message: expect.stringContaining('OUTBOUND_ALLOWED_HOSTS=example.com') }],
    });
    expect((await creating('https://hooks.example.org/')).status).toBe(201);
    // What the operator has set elsewhere is listed.
    expect(() => listed.ports.outbound.check('https://breaches.example.com/range/00000')).not.toThrow();
    await listed.close();
  });
});
