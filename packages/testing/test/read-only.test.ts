import { isUnavailable, type Knex, probeServer } from '@rentapi/platform/database';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let product: Knex;
let owner: Knex;
const open = (url: string) => openDatabase(url, { poolMax: 10, acquireTimeoutMs: 5000, statementTimeoutMs: 5000 });

beforeEach(async () => {
  clone = await cloneDatabase(inject('postgres'));
  product = open(clone.url);
  owner = open(clone.ownerUrl);
  await owner.raw('create table notes (word text)');
  await owner.raw('grant all on notes to public');
});
afterEach(async () => {
  await product.destroy();
  await owner.destroy();
  await clone.drop();
});

const database = () => new URL(clone.url).pathname.slice(1);
const write = () => product('notes').insert({ word: 'x' });
const processId = async () => (await product.raw('select pg_backend_pid() as pid')).rows[0].pid as number;

/**
 * What a failover leaves: connections that live and lead to a server that accepts no writes, while another one does.
 */
async function failOver(connections: number): Promise<void> {
  await owner.raw(`alter database ${database()} set default_transaction_read_only = on`);
  // All at once, so that each is a connection of its own.
  const used = await Promise.all(Array.from({ length: connections }, () => product.transaction()));
  for (const transaction of used) await transaction.rollback();
  await owner.raw(`alter database ${database()} reset default_transaction_read_only`);
}

it('a connection on which a write was refused is never used again', async () => {
  await failOver(1);
  const before = await processId();
  const refused = await write().catch((error: unknown) => error);
  expect(isUnavailable(refused)).toBe(true);
  await write();
  expect(await processId()).not.toBe(before);
});

it('a refused write drops all older connections of the pool, inside a transaction too', async () => {
  await failOver(8);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await expect(product.transaction((db) => db('notes').insert({ word: 'x' }))).rejects.toThrow(/read-only/);
  await Promise.all(Array.from({ length: 10 }, write));
  expect(await owner('notes').select('word')).toHaveLength(10);
});

it('a probe drops the connection that it finds read-only', async () => {
  await failOver(1);
  expect(await probeServer(product)).toMatchObject({ readOnly: true });
  expect(await probeServer(product)).toMatchObject({ readOnly: false, version: expect.stringMatching(/^\d+/) });
});

it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTDOWN'])(
  'an address that cannot be reached for the moment (%s) is an outage, not a fault of the product',
  (code) => expect(isUnavailable(Object.assign(new Error('connect'), { code }))).toBe(true),
);
