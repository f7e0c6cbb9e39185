import { execute, type Statement } from '@rentapi/platform/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, runControl, startApp, type TestApp } from '../../../../test/app.ts';
import { makeOrganization } from '../../../../test/organization.ts';
import { systemContext } from '../../../context.ts';
import { CLAIM } from './claim.ts';
import { startDeliverer } from './deliverer.ts';
import { makeDue } from './due.ts';
import { FAN_OUT, subscribableTypes } from './fan-out.ts';

const HOUR_MS = 3_600_000;
const OK = { status: 204, headers: {}, body: '', truncated: false };
let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

interface Waiting {
  organizationId: number;
  webhookIds: number[];
}

/** Webhooks with this many deliveries each, due in an hour: the app's own deliverer leaves them. */
async function waiting(webhooks: number, deliveriesEach: number): Promise<Waiting> {
  const org = await makeOrganization(app);
  const organizationId = app.ports.ids.decode('org', org.id);
  const [headers, secret] = ['{}', 'whsec_c2VjcmV0'].map((text) => app.ports.webhooks.seal(text, organizationId));
  const { rows } = await app.rows.raw<{ rows: { id: number }[] }>(
    `insert into webhooks (organization_id, url, events, event_version, headers_sealed, header_names, secret_sealed,
                           enabled, created_at, updated_at)
     select :organizationId, 'https://example.com/' || n, '{*}', 1, :headers, '{}', :secret, true, now(), now()
     from generate_series(1, :webhooks) n returning id`,
    { organizationId, headers, secret, webhooks },
  );
  const webhookIds = rows.map(({ id }) => id);
  await deliveries({ organizationId, webhookIds }, deliveriesEach);
  return { organizationId, webhookIds };
}

let events = 0;
/** As the fan-out makes them. */
async function deliveries({ organizationId, webhookIds }: Waiting, each: number): Promise<void> {
  await app.rows.transaction(async (db) => {
    await db.raw(
      `insert into webhook_deliveries
         (organization_id, webhook_id, event_id, event_type, payload, status, due_at, created_at)
       select :organizationId, id, :events + n, 'member.left', '{}', 'PENDING', now() + interval '1 hour', now()
       from unnest(:webhookIds::bigint[]) id, generate_series(1, :each) n`,
      { organizationId, webhookIds, each, events },
    );
    events += each;
    for (const webhookId of webhookIds) await makeDue(db, { organizationId, webhookId }, inAnHour());
  });
}

const left = ({ organizationId }: Waiting) =>
  app.rows('webhook_deliveries').where({ organizationId, status: 'PENDING' });
const allSent = (of: Waiting) =>
  eventually(async () => ((await left(of)).length === 0 ? true : undefined), 'all deliveries');

const inAnHour = () => new Date(Date.now() + HOUR_MS);
const later = () => new Date(Date.now() + 2 * HOUR_MS);

/** A deliverer two hours later, which nothing wakes but its own work. */
function startLater(send: TestApp['ports']['outbound']['send']) {
  const outbound = { ...app.ports.outbound, send };
  return startDeliverer({ ...app.ports, clock: { now: later }, outbound }, { unnotifiedMs: 24 * HOUR_MS });
}

describe('the deliverer', () => {
  it('goes on at once where all that it has under way ends in the same moment', async () => {
    const made = await waiting(30, 10);
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
    await allSent(made);
    await deliverer.stop();
    expect(calls).toBe(300);
  });

  it('forgets nothing that becomes due while it looks', async () => {
    const made = await waiting(1, 1);
    const { organizationId } = made;
    // The claim has read what is due, and waits before it says when to look again.
    const waits = CLAIM.text.replace(
      'from ready r\n  ), mine',
      'from ready r cross join (select pg_advisory_xact_lock(1)) held\n  ), mine',
    );
    expect(waits).not.toBe(CLAIM.text);
    const claiming = await app.rows.transaction(async (db) => {
      await db.raw('select pg_advisory_xact_lock(1)');
      const leaseEnds = new Date(later().getTime() + 30_000);
      const claimed = execute(app.rows, { text: waits }, [later(), '{}', [], 100, leaseEnds]);
      await eventually(async () => {
        const { rows } = await db.raw(
          "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
        );
        return rows[0];
      }, 'the claim to wait');
      await makeDue(db, { organizationId, webhookId: made.webhookIds[0]! }, inAnHour());
      return { claimed };
    });
    await claiming.claimed;
    const { at } = await app.rows('webhook_due').where({ organizationId }).first('at');
    expect(at.getTime()).toBeLessThan(later().getTime());
    await app.rows('webhook_deliveries').where({ organizationId }).delete();
  });
});

interface Plan {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: Plan[];
}

/** How many rows of a table a statement reads. What it changes is undone. */
async function readBy({ text }: Statement, table: string, values: readonly unknown[]): Promise<number> {
  let read = 0;
  const count = (plan: Plan): void => {
    const removed = (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Join Filter'] ?? 0);
    const rows = plan['Actual Rows'] + removed;
    if (plan['Relation Name']?.startsWith(table)) read += rows * plan['Actual Loops'];
    for (const part of plan.Plans ?? []) count(part);
  };
  await app.rows
    .transaction(async (db) => {
      await db('webhook_cursor').forUpdate(); // the app's own fan-out waits
      const explained = { text: `explain (analyze, format json) ${text}` };
      const [row] = await execute<{ 'QUERY PLAN': [{ Plan: Plan }] }>(db, explained, values);
      count(row!['QUERY PLAN'][0].Plan);
      throw new Error('undone');
    })
    .catch((error: Error) => expect(error.message).toBe('undone'));
  return read;
}

function readByClaim(full: readonly number[] = []): Promise<number> {
  const underway = JSON.stringify(Object.fromEntries(full.map((id) => [id, 10])));
  return readBy(CLAIM, 'webhook_deliveries', [later(), underway, full, 100, later()]);
}

describe('the fan-out', () => {
  it('reads no event that it has passed', async () => {
    await app.rows.raw(
      "insert into events (type, data, created_at) select 'member.left', '{}', now() from generate_series(1, 3000)",
    );
    await eventually(async () => {
      const { rows } = await app.rows.raw<{ rows: object[] }>(
        `select from webhook_cursor
         where position >= (select max(position) from events) and not exists (select from events where position is null)`,
      );
      return rows[0];
    }, 'the cursor to pass them');
    await app.rows.raw('analyze events');
    expect(await readBy(FAN_OUT, 'events', [subscribableTypes(app.ports.eventTypes), new Date()])).toBeLessThan(50);
  });
});

describe('what waits for a webhook', () => {
  it('costs the claims of others nothing while it is pausing, busy or disabled', async () => {
    const [pausing, busy, disabled, quick] = [
      await waiting(1, 2000),
      await waiting(1, 2000),
      await waiting(1, 2000),
      await waiting(1, 5),
    ];
    const { organizationId, webhookIds } = pausing;
    const resumesAt = new Date(Date.now() + 3 * HOUR_MS);
    await app
      .rows('webhook_health')
      .insert({ organizationId, webhookId: webhookIds[0], failures: 10, failingSince: new Date(), resumesAt });
    await app.rows('webhooks').where({ id: disabled.webhookIds[0] }).update({ enabled: false });
    await app.rows.raw('analyze webhooks, webhook_health, webhook_due, webhook_deliveries');
    expect(await readByClaim(busy.webhookIds)).toBeLessThan(50);
    await app.rows('webhooks').where({ id: busy.webhookIds[0] }).update({ enabled: false });
    const deliverer = startLater(async () => OK);
    await allSent(quick);
    await deliverer.stop();
    expect(await left(pausing)).toHaveLength(2000);
  });

  it('is sent when the webhook is enabled again, and rescued by the sweep where it was forgotten', async () => {
    const [enabled, forgotten] = [await waiting(1, 3), await waiting(1, 3)];
    const off = { id: enabled.webhookIds[0] };
    await app.rows('webhooks').where(off).update({ enabled: false });
    await app.rows('webhook_due').where({ organizationId: forgotten.organizationId }).delete();
    const deliverer = startLater(async () => OK);
    const ofEnabled = () => app.rows('webhook_due').where({ organizationId: enabled.organizationId }).first('at');
    await eventually(async () => ((await ofEnabled())?.at === Number.POSITIVE_INFINITY ? true : undefined), 'a look');
    await app.rows('webhooks').where(off).update({ enabled: true });
    await makeDue(app.rows, { organizationId: enabled.organizationId, webhookId: enabled.webhookIds[0]! }, later());
    const sweep = app.ports.jobs.all.find(({ name }) => name === 'webhooks.sweep')!;
    await sweep.run(systemContext(app.ports, 'test'), undefined, runControl());
    deliverer.wake();
    await allSent(enabled);
    await allSent(forgotten);
    await deliverer.stop();
  });
});
