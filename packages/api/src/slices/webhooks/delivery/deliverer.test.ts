import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startApp, type TestApp } from '../../../../test/app.ts';
import { makeOrganization } from '../../../../test/organization.ts';
import { startDeliverer } from './deliverer.ts';

const HOUR_MS = 3_600_000;
const OK = { status: 204, headers: {}, body: '', truncated: false };
let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

/** Webhooks with this many deliveries each, due in an hour: the app's own deliverer leaves them. */
async function waiting(webhooks: number, deliveriesEach: number): Promise<number> {
  const org = await makeOrganization(app);
  const organizationId = app.ports.ids.decode('org', org.id);
  const [headers, secret] = ['{}', 'whsec_c2VjcmV0'].map((text) => app.ports.webhooks.seal(text, organizationId));
  await app.rows.raw(
    `with made as (
       insert into webhooks (organization_id, url, events, event_version, headers_sealed, header_names, secret_sealed,
                             enabled, created_at, updated_at)
       select :organizationId, 'https://example.com/' || n, '{*}', 1, :headers, '{}', :secret, true, now(), now()
       from generate_series(1, :webhooks) n returning id
     )
     insert into webhook_deliveries (organization_id, webhook_id, event_id, event_type, payload, status, due_at, created_at)
     select :organizationId, id, n, 'member.left', '{}', 'PENDING', now() + interval '1 hour', now()
     from made, generate_series(1, :deliveriesEach) n`,
    { organizationId, headers, secret, webhooks, deliveriesEach },
  );
  return organizationId;
}

/** A deliverer two hours later, which nothing wakes but its own work. */
function startLater(send: TestApp['ports']['outbound']['send']) {
  const clock = { now: () => new Date(Date.now() + 2 * HOUR_MS) };
  const outbound = { ...app.ports.outbound, send };
  return startDeliverer({ ...app.ports, clock, outbound }, { unnotifiedMs: 24 * HOUR_MS });
}

describe('the deliverer', () => {
  it('goes on at once where all that it has under way ends in the same moment', async () => {
    const organizationId = await waiting(30, 10);
    let [calls, gate] = [0, Promise.withResolvers<void>()];
    const deliverer = startLater(async () => {
      const { promise, resolve } = gate;
      if (++calls % 100 === 0) {
        gate = Promise.withResolvers();
        setImmediate(resolve);
      }
      await promise;
      return OK;
    });
    const left = () => app.rows('webhook_deliveries').where({ organizationId, status: 'PENDING' });
    await eventually(async () => ((await left()).length === 0 ? true : undefined), 'all deliveries');
    await deliverer.stop();
    expect(calls).toBe(300);
  });
});
