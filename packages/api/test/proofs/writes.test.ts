import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import { buildFixture, call, type Fixture, outcome, procedures } from './fixture.ts';
import { scenario } from './scenarios.ts';

/** Every mutation leaves an audit row that names its actor, and refuses fields that it does not declare. */
let app: TestApp;
let fixture: Fixture;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  fixture = await buildFixture(app);
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
  it('leaves an audit row in the same transaction, unless it says why not', async () => {
    const { caller, input } = await scenario(fixture, procedure);
    const requestId = `proof-${procedure.name}`;
    expect(outcome(await call(app, procedure, { ...caller, 'x-request-id': requestId }, input))).toBe('ok');
    const rows = await app.rows('audit_logs').where({ requestId });
    if (procedure.meta.audit) expect(rows).toEqual([]);
    else expect(rows.length).toBeGreaterThan(0);
  });

  it('takes no field that it does not declare', async () => {
    const { caller, input } = await scenario(fixture, procedure);
    const declared = new Set(Object.keys((input ?? {}) as object));
    const injected = Object.fromEntries(Object.entries(INJECTED).filter(([field]) => !declared.has(field)));
    const before = await everything(app);
    for (const [field, value] of Object.entries(injected)) {
      const answer = await call(app, procedure, caller, { ...(input as object), [field]: value });
      if (outcome(answer) === 'ok') expect.fail(`${field} was taken`);
      const { errors } = answer.body.error.data.problem;
      expect(
        errors.some(({ path }: { path: string }) => path === field),
        field,
      ).toBe(true);
    }
    expect(await everything(app)).toEqual(before);
  });
});

/** Every row of every table that a call could change, as text. */
async function everything({ rows: database }: TestApp): Promise<string[]> {
  const tables: { tablename: string }[] = await database('pg_tables')
    .where({ schemaname: 'public' })
    .orderBy('tablename');
  const watched = tables
    .map(({ tablename }) => tablename)
    .filter(
      (name) => !/^(knex|outbox|events|audit_|agenda|job_schedules|verification_tokens|mailbox_mails)/.test(name),
    );
  return Promise.all(
    watched.map(
      async (table) => `${table}: ${JSON.stringify((await database.raw(`select * from ${table} order by 1, 2`)).rows)}`,
    ),
  );
}
