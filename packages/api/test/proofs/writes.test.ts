import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, startApp, type TestApp } from '../app.ts';
import { call, type Fixture, outcome, procedures } from './fixture.ts';
import { type FixtureLender, lendFixtures } from './lend-fixtures.ts';
import { scenario } from './scenarios.ts';

/** Every mutation leaves an audit row that names its actor, and refuses fields that it does not declare. */
let app: TestApp;
let fixtures: FixtureLender;
let fixture: Fixture;

beforeAll(async () => {
  app = await startApp();
  fixtures = lendFixtures(app);
});
beforeEach(async () => {
  fixture = await fixtures.shared();
});
afterAll(() => app.close());

/** Fields that an attacker would try to add. */
const INJECTED = {
  id: 1,
  organizationId: 1,
  userId: 1,
  role: 'SUPER_ADMIN',
  status: 'ACTIVE',
  isAdmin: true,
  version: 99,
  createdAt: '2020-01-01T00:00:00Z',
};

describe.each(procedures.filter(({ type }) => type === 'mutation'))('$name', (procedure) => {
  it('leaves an audit row in the same transaction, unless it gives a reason', async () => {
    const { caller, input } = await scenario(fixture, procedure);
    const requestId = `proof-${procedure.name}`;
    expect(outcome(await call(app, procedure, { ...caller, 'x-request-id': requestId }, input))).toBe('ok');
    const rows = await app.rows('audit_logs').where({ requestId });
    if (procedure.meta.audit) expect(rows).toEqual([]);
    else expect(rows.length).toBeGreaterThan(0);
  });

  it('accepts no field that it does not declare', async () => {
    const { caller, input } = await scenario(fixture, procedure);
    const declared = new Set(Object.keys((input ?? {}) as object));
    const injected = Object.fromEntries(Object.entries(INJECTED).filter(([field]) => !declared.has(field)));
    const inject = async () => {
      for (const [field, value] of Object.entries(injected)) {
        const answer = await call(app, procedure, caller, { ...(input as object), [field]: value });
        if (outcome(answer) === 'ok') expect.fail(`${field} was taken`);
        const { errors } = answer.body.error.data.problem;
        expect(
          errors.some(({ path }: { path: string }) => path === field),
          field,
        ).toBe(true);
      }
    };
    await expectUnchanged(app, inject);
  });
});

const ATTEMPTS = 3;

/** A job on a schedule may write at any moment; what the work itself writes, it writes each time. */
async function expectUnchanged(app: TestApp, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await untilIdle(app);
    const before = await everything(app);
    await work();
    const after = await everything(app);
    if (attempt < ATTEMPTS && !isDeepStrictEqual(after, before)) continue;
    return expect(after).toEqual(before);
  }
}

/** What calls have left to do in the background changes rows as well: a job that mails an invitation, for one. */
async function untilIdle({ rows: database }: TestApp): Promise<void> {
  const waiting = database('events').whereNull('position').select(database.raw('1'));
  const left = waiting.unionAll([
    database('outbox').select(database.raw('1')),
    database('agenda_jobs').select(database.raw('1')),
  ]);
  await eventually(async () => ((await left.clone()).length === 0 ? true : undefined), 'the work to be done');
}

/** Every row of every table that a call could change, as one hash for each table. */
async function everything({ rows: database }: TestApp): Promise<string[]> {
  const tables: { tablename: string }[] = await database('pg_tables')
    .where({ schemaname: 'public' })
    .orderBy('tablename');
  const watched = tables
    .map(({ tablename }) => tablename)
    .filter(
      (name) =>
        !/^(knex|outbox|events|audit_|agenda|(job_schedules|job_workers|done_jobs|dead_jobs)$|verification_tokens|mailbox_mails|session_uses|api_key_uses|webhook_|billing_checks$|provider_lists$|usage_(calls|pending|rollups|hours|stale))/.test(
          name,
        ),
    );
  const hashes = watched.map(
    (table) =>
      `select '${table} ' || coalesce(md5(string_agg(row_of::text, ',' order by row_of::text)), 'is empty') as hash from ${table} row_of`,
  );
  const result = await database.raw(hashes.join(' union all '));
  return result.rows.map(({ hash }: { hash: string }) => hash).sort();
}
