import type { Fixture } from '../../../test/proofs/fixture.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { WebhookModel } from './model.ts';

const URL = 'https://example.com/webhooks';
/** Refused before the network is used: no proof calls a name outside. */
const REFUSED_URL = 'https://127.0.0.1/';

async function webhook({ app, organizationId: publicId }: Fixture, fields: object = {}) {
  const { ports } = app;
  const organizationId = ports.ids.decode('org', publicId);
  const tenancy = { db: ports.database, organization: { id: organizationId } };
  const now = new Date();
  const { id } = await WebhookModel.add(tenancy, {
    url: REFUSED_URL,
    description: null,
    events: ['member.left'],
    eventVersion: 1,
    headersSealed: ports.webhooks.seal('{}', organizationId),
    headerNames: [],
    secretSealed: ports.webhooks.seal('whsec_c2VjcmV0', organizationId),
    enabled: true,
    createdAt: now,
    updatedAt: now,
    ...fields,
  });
  return { id: ports.ids.encode('whk', id), rowId: id };
}

async function delivery(fixture: Fixture, status: 'FAILED' | 'SUCCEEDED', fields: object = {}) {
  const { id, rowId } = await webhook(fixture, fields);
  return { webhookId: id, deliveryId: await deliver(fixture, rowId, status) };
}

let events = 0;

async function deliver(fixture: Fixture, webhookId: number, status: 'FAILED' | 'SUCCEEDED'): Promise<string> {
  const { app } = fixture;
  const organizationId = app.ports.ids.decode('org', fixture.organizationId);
  const [row] = await app
    .rows('webhook_deliveries')
    .insert({
      organizationId,
      webhookId,
      eventId: ++events,
      eventType: 'member.left',
      payload: {},
      status,
      createdAt: new Date(),
      settledAt: new Date(),
    })
    .returning('id');
  return app.ports.ids.encode('dlv', row.id);
}

/** The two deliveries of the webhook that was made last, so that both ids of a path belong together. */
const latest = new WeakMap<Fixture, string>();

async function webhookWithDeliveries(fixture: Fixture): Promise<string> {
  const { id, rowId } = await webhook(fixture);
  await deliver(fixture, rowId, 'FAILED');
  latest.set(fixture, await deliver(fixture, rowId, 'FAILED'));
  return id;
}

const disabled = async (fixture: Fixture) => (await webhook(fixture, { enabled: false })).id;

/** Refusals that creating and changing share. */
function refused(operation: 'create' | 'update'): Record<string, Failing> {
  const failing =
    (fields: object, scopes?: string[]): Failing =>
    async (fixture) => ({
      caller: (await fixture.key(scopes ?? [`webhooks:${operation}`, 'api_keys:read'])).caller,
      input:
        operation === 'create'
          ? { url: URL, events: ['api_key.*'], ...fields }
          : { webhookId: (await webhook(fixture)).id, ...fields },
    });
  return {
    target_not_allowed: failing({ url: 'https://127.0.0.1/' }),
    header_not_allowed: failing({ headers: { Host: 'x' } }),
    unknown_event_type: failing({ events: ['nothing.*'] }),
    unknown_event_version: failing({ eventVersion: 999 }),
    event_not_allowed: failing({ events: ['api_key.*'] }, [`webhooks:${operation}`]),
  };
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    whk: webhookWithDeliveries,
    dlv: async (fixture) => latest.get(fixture) ?? (await delivery(fixture, 'FAILED')).deliveryId,
  },
  scenarios: {
    // Of an event that no proof causes: nothing is sent to the example's address.
    'webhooks.create': async ({ inOrganization }) => ({
      caller: inOrganization('OWNER'),
      input: { url: URL, events: ['member.left'] },
    }),
    'webhooks.update': async (fixture) => ({
      caller: fixture.inOrganization('OWNER'),
      input: { webhookId: (await webhook(fixture)).id, description: 'changed' },
    }),
    'webhooks.deliveries.get': async (fixture) => ({
      caller: fixture.inOrganization('OWNER'),
      input: await delivery(fixture, 'FAILED'),
    }),
    'webhooks.deliveries.retry': async (fixture) => ({
      caller: fixture.inOrganization('OWNER'),
      input: await delivery(fixture, 'FAILED'),
    }),
    'webhooks.recover': async (fixture) => ({
      caller: fixture.inOrganization('OWNER'),
      input: { webhookId: (await webhook(fixture)).id, since: new Date(Date.now() - 1000).toISOString() },
    }),
  },
  failures: {
    'webhooks.create': refused('create'),
    'webhooks.update': refused('update'),
    'webhooks.test': {
      unknown_event_type: async (fixture) => ({
        caller: (await fixture.key(['webhooks:test'])).caller,
        input: { webhookId: (await webhook(fixture)).id, eventType: 'nothing.happened' },
      }),
      webhook_disabled: async (fixture) => ({
        caller: (await fixture.key(['webhooks:test'])).caller,
        input: { webhookId: await disabled(fixture), eventType: 'api_key.created' },
      }),
    },
    'webhooks.recover': {
      time_range_unbounded: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: { webhookId: (await webhook(fixture)).id },
      }),
      time_range_reversed: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: { webhookId: (await webhook(fixture)).id, since: '2999-01-01T00:00:00Z' },
      }),
      time_range_too_long: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: { webhookId: (await webhook(fixture)).id, since: '2020-01-01T00:00:00Z' },
      }),
      webhook_disabled: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: { webhookId: await disabled(fixture), since: new Date(Date.now() - 1000).toISOString() },
      }),
    },
    'webhooks.deliveries.list': {
      time_range_reversed: async (fixture) => ({
        caller: (await fixture.key(['webhooks:read'])).caller,
        input: {
          webhookId: (await webhook(fixture)).id,
          since: '2026-01-02T00:00:00Z',
          until: '2026-01-01T00:00:00Z',
        },
      }),
    },
    'webhooks.deliveries.retry': {
      delivery_already_succeeded: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: await delivery(fixture, 'SUCCEEDED'),
      }),
      webhook_disabled: async (fixture) => ({
        caller: (await fixture.key(['webhooks:update'])).caller,
        input: await delivery(fixture, 'FAILED', { enabled: false }),
      }),
    },
  },
};
