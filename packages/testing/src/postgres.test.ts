import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, startTestPostgres, type TestPostgres } from './postgres.ts';

let server: TestPostgres;

beforeAll(async () => {
  server = await startTestPostgres({
    migrate: async (url) => void (await query(url, "CREATE TABLE words AS SELECT 'from the template' AS word")),
  });
});
afterAll(() => server.stop());

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('gives each test a migrated database of its own', async () => {
  const [one, two] = await Promise.all([cloneDatabase(server), cloneDatabase(server)]);
  await query(one.ownerUrl, "INSERT INTO words VALUES ('only here')");
  expect(await query(two.ownerUrl, 'SELECT word FROM words')).toEqual([{ word: 'from the template' }]);
  await Promise.all([one.drop(), two.drop()]);
});

it('drops a database that is still in use', async () => {
  const clone = await cloneDatabase(server);
  const client = new pg.Client(clone.url);
  client.on('error', () => {}); // being cut off is the purpose
  await client.connect();
  await clone.drop();
  await expect(query(clone.url, 'SELECT 1')).rejects.toThrow('does not exist');
});

it('uses a given server instead, and leaves nothing on it', async () => {
  const guest = await startTestPostgres({ serverUrl: server.adminUrl, migrate: async () => {} });
  await cloneDatabase(guest);
  await guest.stop();
  const left = await query(
    server.adminUrl,
    `SELECT datname FROM pg_database WHERE datname LIKE '${guest.templateName}%'`,
  );
  expect(left).toEqual([]);
});
