import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../test/app.ts';
import { type Context, systemContext, within } from '../../context.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import type { Actor } from '../../pipeline/actor.ts';
import { lockOrganization } from './service/lock.ts';
import { meetOthers, sharedTransaction } from './service/shared-transaction.ts';

let app: TestApp;
let ids: number[];

beforeAll(async () => {
  app = await startApp();
  await app.rows.raw('create table steps (id integer generated always as identity, word text not null)');
  await app.rows.raw('grant all on steps to public');
  const people = await Promise.all([app.signUp(), app.signUp(), app.signUp()]);
  ids = people.map(({ organizationId }) => app.ports.ids.decode('org', organizationId));
});
afterAll(() => app.close());

type TenantContext = Context & Tenancy;

const at = (id: number): TenantContext => within(systemContext(app.ports, 'test'), id);
const words = () => app.rows('steps').orderBy('id').pluck('word');

/** Adds a word, and returns the transaction that did. */
async function add({ db }: TenantContext, word: string): Promise<string> {
  const [row] = await db('steps').insert({ word }).returning(db.raw('pg_current_xact_id()::text as transaction'));
  return row.transaction;
}

describe('a shared transaction', () => {
  it('is one for organizations that ask for it at the same time, and answers each', async () => {
    const before = await words();
    const added = await Promise.all(
      ids.map((id) =>
        sharedTransaction(at(id), async (ctx) => {
          await lockOrganization(ctx);
          return [ctx.organization.id, await add(ctx, `of ${id}`)];
        }),
      ),
    );
    expect(added.map(([id]) => id)).toEqual(ids);
    expect(new Set(added.map(([, transaction]) => transaction)).size).toBe(1);
    expect((await words()).slice(before.length).toSorted()).toEqual(ids.map((id) => `of ${id}`).toSorted());
  });

  it('is never shared by a call, which would wait for the work of others', async () => {
    const actor = {} as Actor; // no more is asked of it than whether there is one
    const added = await Promise.all(
      ids.map((id) => sharedTransaction({ ...at(id), actor }, (ctx) => add(ctx, 'call'))),
    );
    expect(new Set(added).size).toBe(ids.length);
  });

  it('is not shared within an organization: what one changes, the next one finds', async () => {
    const [id] = ids;
    const added = await Promise.all([1, 2].map((nth) => sharedTransaction(at(id!), (ctx) => add(ctx, `${nth}`))));
    expect(new Set(added).size).toBe(2);
  });

  it('keeps what others did where one fails, which alone is refused', async () => {
    const before = await words();
    const runs: number[] = [];
    const done = await Promise.allSettled(
      ids.map((id, nth) =>
        sharedTransaction(at(id), async (ctx) => {
          runs.push(nth);
          await add(ctx, `kept ${nth}`);
          if (nth === 1) await ctx.db.raw('select 1 / 0');
        }),
      ),
    );
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(done[1]).toMatchObject({ reason: { code: '22012' } });
    expect((await words()).slice(before.length).toSorted()).toEqual(['kept 0', 'kept 2']);
    expect(runs).toHaveLength(6); // together, then each alone
  });

  it('does not wait for an organization that a call has locked', async () => {
    const [locked, ...others] = ids;
    let late: Promise<string> | undefined;
    await app.rows.transaction(async (db) => {
      await db('organizations').where({ id: locked }).forUpdate();
      late = sharedTransaction(at(locked!), async (ctx) => {
        await lockOrganization(ctx);
        return add(ctx, 'late');
      });
      await Promise.all(others.map((id) => sharedTransaction(at(id), (ctx) => add(ctx, 'early'))));
      await sharedTransaction(at(others[0]!), (ctx) => add(ctx, 'meanwhile'));
    });
    await late;
    expect((await words()).slice(-4)).toEqual(['early', 'early', 'meanwhile', 'late']);
  });

  it('lets its members take last what others wait for, once all have come as far or have ended', async () => {
    const order: string[] = [];
    await Promise.all(
      ids.map((id, nth) =>
        sharedTransaction(at(id), async (ctx) => {
          if (nth === 2) return void order.push('ended');
          for (let steps = 0; steps <= nth; steps++) await add(ctx, 'step');
          order.push('came');
          await meetOthers(ctx);
          order.push('took');
        }),
      ),
    );
    expect(order).toEqual(['ended', 'came', 'came', 'took', 'took']);
  });
});
