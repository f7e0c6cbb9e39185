import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execute, type Knex } from '@rentapi/platform/database';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PLANNING, SEQUENCE } from '../events/sequencer.ts';
import { QUEUES } from '../pipeline/observe-metrics.ts';
import { DISPATCH } from './dispatcher.ts';

const ROWS = 10_000;
let clone: Awaited<ReturnType<typeof cloneDatabase>>;

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
});
afterAll(() => clone.drop());

/** One connection, as long as the pool lives. */
const connect = (): Knex => openDatabase(clone.ownerUrl, { poolMin: 1, statementTimeoutMs: 60_000 });

const fill = (database: Knex) =>
  database.raw(
    `insert into outbox (job, data, available_at) select 'test', '{}', now() from generate_series(1, ${ROWS})`,
  );

/** How many rows one connection moves until none is left. */
async function drain(database: Knex): Promise<number> {
  let moved = 0;
  for (;;) {
    const [batch] = await execute<{ moved: number }>(database, DISPATCH, []);
    if (!batch?.moved) return moved;
    moved += batch.moved;
  }
}

describe('a connection that found the outbox empty for a while', () => {
  it('moves new rows by a new plan: that of the empty table takes some fifty times as long', async () => {
    const idle = connect();
    await idle.raw('vacuum analyze outbox'); // as autovacuum does: Postgres then knows that the table is empty
    for (let round = 0; round < 30; round++) {
      await execute(idle, DISPATCH, []);
      await execute(idle, QUEUES, []);
    }
    await fill(idle);
    const moved = await drain(idle);
    const { rows: kept } = await idle.raw('select name from pg_prepared_statements');
    await idle.destroy();
    expect(kept, 'plans made for empty tables').toEqual([]);
    expect(moved).toBe(ROWS);
  });
});

describe('statements with a name', () => {
  /** Tables that are empty one moment and full the next. */
  const VOLATILE =
    /\b(?:from|join|using|update)\s+(?:outbox|agenda_jobs|dead_jobs|idempotency_keys|realtime_tickets)\b/;
  const NAMED = /\bname: '(\w+)',\s+(?:short: true,\s+)?text:\s*(?:`([^`]*)`|'([^']*)')/g;

  it('read no table that is mostly empty, because their plan is kept', async () => {
    const source = path.join(import.meta.dirname, '..');
    const files = (await readdir(source, { recursive: true })).filter((file) => /(?<!\.test)\.ts$/.test(file));
    const texts = await Promise.all(files.map((file) => readFile(path.join(source, file), 'utf8')));
    const named = texts.flatMap((text) =>
      [...text.matchAll(NAMED)].map(([, name, long, line]) => ({ name, sql: long ?? line ?? '' })),
    );
    expect(named.map(({ name }) => name)).toEqual(expect.arrayContaining(['session_actor', 'lock_organization']));
    const careless = named.filter(({ name, sql }) => VOLATILE.test(sql) && name !== SEQUENCE.name);
    expect(careless.map(({ name }) => name)).toEqual([]);
  });

  it('but that of the sequencer, whose session reads them by index however few rows they have', async () => {
    const database = connect();
    await database.raw(`analyze outbox; ${PLANNING}`);
    const { rows } = await database.raw(`explain ${SEQUENCE.text}`);
    await database.destroy();
    const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Only Scan using outbox_pkey on outbox/);
    expect(plan).not.toMatch(/Seq Scan on outbox/);
  });
});
