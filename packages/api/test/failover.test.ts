import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from './app.ts';

/** What a process guarantees after a restart of PostgreSQL as well. */
const HEALTHY_WITHIN_MS = 5000;

describe('a database that accepts no writes for a while, as after a failover', () => {
  let app: TestApp;
  let user: Person;
  let name: string;

  beforeAll(async () => {
    app = await startApp();
    user = await app.signUp();
    name = new URL(app.databaseUrl).pathname.slice(1);
  });
  afterAll(() => app?.close());

  /** Cuts every connection of the product, except the one that runs the statement. */
  async function setReadOnly(sql: string, cut: boolean): Promise<void> {
    await app.rows.raw(`alter database ${name} ${sql}`);
    if (cut) {
      await app.rows.raw(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    }
  }
  const write = () => user.request('/api/v1/users/me', { method: 'PATCH', body: { fullName: crypto.randomUUID() } });
  const statusOf = async (path: string) => (await app.request(path)).status;

  it('answers 503 with Retry-After in that time, is not ready, and is healthy within 5 s after it', async () => {
    expect((await write()).status).toBe(200);
    await setReadOnly('set default_transaction_read_only = on', true);
    for (let i = 0; i < 10; i++) {
      const refused = await write();
      expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await Promise.all(['/health', '/health/readiness', '/health/database'].map(statusOf))).toEqual([
      503, 503, 503,
    ]);
    expect(await statusOf('/health/liveness')).toBe(200);
    // Connections opened now stay read-only for ever.
    await Promise.all(Array.from({ length: 10 }, () => user.request('/api/v1/users/me')));

    await setReadOnly('reset default_transaction_read_only', false);
    await eventually(
      async () => ((await write()).status === 200 && (await statusOf('/health/readiness')) === 200) || undefined,
      'writes and readiness',
      HEALTHY_WITHIN_MS,
    );
    const answers = await Promise.all(Array.from({ length: 20 }, write));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('continues afterwards with what follows a write: events have their position, jobs run and mail leaves', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await app.request('/api/v1/auth/register', {
      method: 'POST',
      body: { email, password: 'correct horse battery staple' },
    });
    expect(await app.mailTo(email)).toMatchObject({ to: email });
    await eventually(
      async () => (await app.rows('events').whereNull('position')).length === 0 || undefined,
      'the places of events',
    );
  });

  it('is found again by readiness alone, where no balancer sends requests any more', async () => {
    await setReadOnly('set default_transaction_read_only = on', true);
    for (let i = 0; i < 10; i++) expect(await statusOf('/health/readiness')).toBe(503);
    await setReadOnly('reset default_transaction_read_only', false);
    await eventually(
      async () => (await statusOf('/health/readiness')) === 200 || undefined,
      'readiness',
      HEALTHY_WITHIN_MS,
    );
    expect((await write()).status).toBe(200);
  });
});

describe('a database that is out of disk, memory or a configured limit', () => {
  let app: TestApp;
  let user: Person;

  beforeAll(async () => {
    app = await startApp();
    user = await app.signUp();
  });
  afterAll(() => app?.close());

  it.each(['53100', '53200', '53400'])('answers 503 with Retry-After: SQLSTATE %s', async (code) => {
    await app.rows.raw(`
      create or replace function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file' using errcode = '${code}'; end $$;
      create or replace trigger refuse before update on users for each row execute function refuse()`);
    const answer = await user.request('/api/v1/users/me', { method: 'PATCH', body: { fullName: 'Ada' } });
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
