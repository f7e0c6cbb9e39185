import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../test/app.ts';
import { systemContext } from '../context.ts';
import { transaction } from '../data/transaction.ts';
import { OrganizationUpdated } from '../slices/organizations/events.ts';
import { OrganizationModel } from '../slices/organizations/model.ts';
import { UserUpdated } from '../slices/users/events.ts';
import { UserModel } from '../slices/users/model.ts';
import { createFeed, type SequencedEvent } from './feed.ts';
import { record } from './record.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
afterAll(() => app.close());

const context = () => systemContext(app.ports, 'test');
const organizationId = () => app.ports.ids.decode('org', ada.organizationId);

/** In a transaction of the pool, where the event is written, and has its id, before `work`. */
async function recordUpdate(work: () => Promise<void> = async () => {}): Promise<void> {
  await app.ports.database.transaction(async (db) => {
    const ctx = { ...context(), db };
    const home = await OrganizationModel.query(ctx.db).findById(organizationId()).throwIfNotFound();
    await record(ctx, OrganizationUpdated, { target: home, data: home.present(ctx.ids), organizationId: home.id });
    await work();
  });
}

describe('recording', () => {
  it('leaves neither event nor audit row when the change is rolled back', async () => {
    const count = async () => (await app.rows('events').where({ type: 'organization.updated' })).length;
    const before = await count();
    await expect(recordUpdate(() => Promise.reject(new Error('undone')))).rejects.toThrow('undone');
    expect(await count()).toBe(before);
    await recordUpdate();
    expect(await count()).toBe(before + 1);
  });

  it('is refused outside the transaction of its change', async () => {
    const ctx = context();
    const user = await UserModel.query(ctx.db).first().throwIfNotFound();
    await expect(record(ctx, UserUpdated, { target: user, data: user.present(ctx.ids) })).rejects.toThrow(
      'transaction',
    );
  });

  it('names actor, target, before and after, address and request', async () => {
    await ada.request('/api/v1/users/me', {
      method: 'PATCH',
      body: { fullName: 'Ada' },
      headers: { 'x-request-id': 'req-1', 'user-agent': 'test/1' },
    });
    const row = await app.rows('audit_logs').where({ requestId: 'req-1' }).first();
    expect(row).toMatchObject({
      action: 'user.updated',
      actorKind: 'user',
      targetKind: 'users',
      ip: '127.0.0.1',
      userAgent: 'test/1',
    });
    expect([row.before.fullName, row.after.fullName]).toEqual([null, 'Ada']);
    expect(JSON.stringify(row)).not.toMatch(/\$2b\$|passwordHash/);
  });

  it('of several changes in one transaction keeps their order, each with its audit row and its work', async () => {
    const names = ['first', 'second', 'third'];
    await transaction(context(), async (ctx) => {
      const home = await OrganizationModel.query(ctx.db).findById(organizationId()).throwIfNotFound();
      for (const name of names) {
        const data = { ...home.present(ctx.ids), name };
        await record(ctx, OrganizationUpdated, { target: home, before: home, data, organizationId: home.id });
        data.name = 'changed afterwards';
      }
    });
    const events = await app.rows('events').orderBy('id', 'desc').limit(3).select('id', 'data');
    expect(events.map(({ data }) => data.name)).toEqual(names.toReversed());
    const rows = await app.rows('audit_logs').orderBy('id', 'desc').limit(3);
    expect(rows.map(({ eventId }) => eventId)).toEqual(events.map(({ id }) => id));
    expect(rows[0]).toMatchObject({ action: 'organization.updated', targetId: organizationId(), after: null });
    expect(rows[0].before).toMatchObject({ id: organizationId() });
  });

  it('is written once: the audit log refuses to be changed or deleted', async () => {
    await expect(app.rows('audit_logs').update({ action: 'nothing' })).rejects.toThrow('append-only');
    await expect(app.rows('audit_logs').delete()).rejects.toThrow('append-only');
  });
});

describe('positions', () => {
  it('follow the commits, not the ids, so that a reader who resumes misses nothing', async () => {
    const seen: SequencedEvent[] = [];
    const unfollow = app.ports.feed.follow(organizationId(), { onEvent: (event) => seen.push(event), onRelease() {} });
    await app.ports.feed.position();
    await recordUpdate();
    const newest = (await app.rows('events').max('id as id').first())!['id'];
    await eventually(() => seen.find(({ id }) => id === newest), 'the feed to have caught up');
    seen.length = 0;
    const gate = Promise.withResolvers<void>();
    const recorded = Promise.withResolvers<void>();
    // Takes its id first, commits last.
    const slow = recordUpdate(() => {
      recorded.resolve();
      return gate.promise;
    });
    await recorded.promise;
    await recordUpdate();
    const fast = await eventually(() => seen.at(-1), 'the event that committed first');
    gate.resolve();
    await slow;
    const late = await eventually(() => (seen.length > 1 ? seen.at(-1) : undefined), 'the event that committed last');
    unfollow();
    expect(late.id).toBeLessThan(fast.id);
    expect(late.position).toBeGreaterThan(fast.position);
    const place = await app.ports.feed.positionOf(organizationId(), fast.id);
    const resumed = await app.ports.feed.after(organizationId(), place!, 10);
    expect(resumed.map(({ id }) => id)).toEqual([late.id]);
  });

  it('have no gaps and no duplicates', async () => {
    await Promise.all(Array.from({ length: 20 }, () => recordUpdate()));
    await eventually(
      async () => ((await app.rows('events').whereNull('position')).length === 0 ? true : undefined),
      'all events to have a position',
    );
    const positions: number[] = await app.rows('events').orderBy('position').pluck('position');
    expect(positions).toEqual(positions.map((_, at) => at + 1));
  });
});

describe('the notification of new events', () => {
  const row = (fields: object) => ({ type: 'organization.updated', data: {}, createdAt: new Date(), ...fields });

  /** Those of these rows that were in notifications, once all have their positions. */
  async function notified(rows: object[]): Promise<{ id: number; position: number }[]> {
    const texts: string[] = [];
    const [listening, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const subscription = app.ports.notifications.subscribe({
      channels: { sequenced: (text) => texts.push(text), all_arrived: () => arrived.resolve() },
      onListening: listening.resolve,
    });
    await listening.promise;
    const ids = (await app.rows('events').insert(rows).returning('id')).map(({ id }) => id);
    await eventually(async () => {
      const waiting = await app.rows('events').whereIn('id', ids).whereNull('position').first();
      return waiting === undefined ? true : undefined;
    }, 'their positions');
    await app.rows.raw("select pg_notify('all_arrived', '')"); // notifications arrive in the order of their commits
    await arrived.promise;
    subscription.unsubscribe();
    const events: { id: number; position: number }[] = texts.filter(Boolean).flatMap((text) => JSON.parse(text));
    return events.filter(({ id }) => ids.includes(id));
  }

  it('has them where they are few and small, without what is for persons', async () => {
    const createdAt = new Date('2026-11-27T06:08:22.154Z');
    const [ours, personal] = await notified([
      row({ organizationId: organizationId(), data: { name: 'Ünïcödé' }, createdAt }),
      row({ organizationId: null, data: { email: 'ada@example.com' } }),
    ]);
    expect(ours).toEqual({
      id: expect.any(Number),
      position: expect.any(Number),
      organizationId: organizationId(),
      type: 'organization.updated',
      data: { name: 'Ünïcödé' },
      createdAtMs: createdAt.getTime(),
    });
    expect(personal).toMatchObject({ position: ours!.position + 1, organizationId: null, data: null });
  });

  it.each([
    ['large', [{ data: { name: 'é'.repeat(4000) } }]],
    ['many', Array.from({ length: 21 }, () => ({}))],
  ])('has none where they are %s', async (_, events) => {
    const rows = events.map((fields) => row({ organizationId: organizationId(), ...fields }));
    expect(await notified(rows)).toEqual([]);
  });

  it('is taken for the events that come next, once; where some are missing they are read', async () => {
    const feed = createFeed({ database: app.ports.database, log: app.ports.log });
    const seen: number[] = [];
    feed.follow(organizationId(), { onEvent: ({ position }) => seen.push(position), onRelease() {} });
    const last = await feed.position();
    const notify = (...positions: number[]) =>
      feed.wake(
        JSON.stringify(positions.map((position) => ({ ...row({ organizationId: organizationId() }), position }))),
      );
    notify(last + 1, last + 2);
    notify(last + 2, last + 3);
    notify(last + 1);
    notify(last + 5);
    expect(seen).toEqual([last + 1, last + 2, last + 3]);
    await feed.stop();
  });
});

describe('transactions', () => {
  it('join the one they are called in', async () => {
    await expect(
      transaction(context(), async (outer) => {
        await transaction(outer, (ctx) =>
          UserModel.query(ctx.db).findById(app.ports.ids.decode('usr', ada.id)).patch({ fullName: 'Inner' }).execute(),
        );
        throw new Error('outer fails');
      }),
    ).rejects.toThrow('outer fails');
    expect((await ada.request('/api/v1/users/me')).body.fullName).not.toBe('Inner');
  });

  it('are repeated when Postgres aborts them to end a deadlock', async () => {
    const eve = await app.signUp();
    const [a, b] = [ada.id, eve.id].map((id) => app.ports.ids.decode('usr', id)) as [number, number];
    const meet = Promise.withResolvers<void>();
    let waiting = 0;
    let runs = 0;
    const lockBoth = (first: number, second: number) =>
      transaction(context(), async (ctx) => {
        runs++;
        await UserModel.query(ctx.db).findById(first).forUpdate();
        if (++waiting === 2) meet.resolve();
        await meet.promise;
        await UserModel.query(ctx.db).findById(second).forUpdate();
      });
    await Promise.all([lockBoth(a, b), lockBoth(b, a)]);
    expect(runs).toBeGreaterThan(2); // the aborted transaction ran again
  });
});
