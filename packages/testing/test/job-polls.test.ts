import { startJobWorker } from '@rentapi/platform/jobs';
import { ReconnectingBackend } from '@rentapi/platform/jobs/agenda-parts';
import { QueueSlots } from '@rentapi/platform/jobs/queue-slots';
import { createLogger } from '@rentapi/platform/logger';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let pool: pg.Pool;
let backend: ReconnectingBackend;

const unlimited = () => new QueueSlots([], {}, 30_000);

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  pool = new pg.Pool({ connectionString: clone.ownerUrl, max: 5 });
  pool.on('connect', (client) => client.on('error', () => {})); // one may still be closing when its database is dropped
  backend = new ReconnectingBackend(pool, createLogger({ level: 'silent' }), unlimited());
  await backend.connect();
});
beforeEach(() => pool.query('delete from agenda_jobs'));
afterAll(async () => {
  await pool.end();
  await clone.drop();
});

const add = (name: string, dueInS: number, lockedAgoS: number | null = null) =>
  pool.query(
    `insert into agenda_jobs (name, data, next_run_at, locked_at, unique_key)
     values ($1, '{}', now() + $2 * interval '1 second', now() - $3 * interval '1 second', gen_random_uuid()::text)`,
    [name, dueInS, lockedAgoS],
  );

/** As Agenda does at a poll: a question for each name, all in one turn of the loop. */
async function poll(...names: string[]): Promise<{ found: (string | undefined)[]; statements: number }> {
  const query = vi.spyOn(pool, 'query');
  const [now, lockDeadline] = [new Date(Date.now() + 1000), new Date(Date.now() - 30_000)];
  const jobs = await Promise.all(
    names.map((name) => backend.repository.getNextJobToRun(name, now, lockDeadline, undefined, {})),
  );
  const statements = query.mock.calls.length;
  query.mockRestore();
  return { found: jobs.map((job) => job?.name), statements };
}

it('takes one statement to find that none of many jobs is due', async () => {
  await add('later', 3600);
  await add('held', -60, 5);
  expect(await poll('a', 'b', 'later', 'held', 'c')).toEqual({ found: Array(5).fill(undefined), statements: 1 });
});

it('locks the next job of each name that has one, also those of workers that died', async () => {
  await add('due', -1);
  await add('abandoned', -60, 60);
  const { found, statements } = await poll('a', 'due', 'abandoned');
  expect(found).toEqual([undefined, 'due', 'abandoned']);
  expect(statements).toBe(3);
  expect((await poll('a', 'due', 'abandoned')).found).toEqual([undefined, undefined, undefined]);
});

it('takes what a dead worker had under way before what waits', async () => {
  for (let waiting = 0; waiting < 3; waiting++) await add('mail', -30);
  await pool.query(
    `insert into agenda_jobs (name, data, next_run_at, last_run_at, locked_at, created_at, unique_key)
     values ('mail', '{}', null, now() - interval '60 seconds', now() - interval '60 seconds',
             now() - interval '90 seconds', 'begun')`,
  );
  await poll('a', 'mail');
  const { rows } = await pool.query(
    "select unique_key from agenda_jobs where locked_at > now() - interval '10 seconds'",
  );
  expect(rows).toEqual([{ unique_key: 'begun' }]);
});

it('asks for a single name at once', async () => {
  await add('due', -1);
  expect(await poll('due')).toEqual({ found: ['due'], statements: 1 });
});

it('locks nothing once the worker stops', async () => {
  const stopping = new ReconnectingBackend(pool, createLogger({ level: 'silent' }), unlimited());
  await stopping.connect();
  await add('due', -1);
  const question = stopping.repository.getNextJobToRun('due', new Date(), new Date(0), undefined, {});
  stopping.stopRetrying();
  expect(await question).toBeUndefined();
});

it('runs what becomes due without a notification, though Agenda itself polls seldom', async () => {
  const ran = Promise.withResolvers<string>();
  const definition = (name: string) => ({
    name,
    queue: 'default',
    concurrency: 1,
    attempts: 1,
    timeoutMs: 10_000,
    backoffMs: () => 0,
    run: async () => ran.resolve(name),
  });
  const log = createLogger({ level: 'silent' });
  const definitions = ['first', 'second'].map(definition);
  const worker = startJobWorker({ url: clone.ownerUrl, log, definitions, pollMs: 50, leaseMs: 600_000 });
  await add('second', 1);
  expect(await ran.promise).toBe('second');
  await worker.drain(5000);
});

it('goes on when a job cannot be given back, because the database has gone', async () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  const gone = new pg.Pool({ host: '127.0.0.1', port: 1 });
  const { repository } = new ReconnectingBackend(gone, log, unlimited());
  await add('due', -1);
  const job = await backend.repository.getNextJobToRun('due', new Date(), new Date(0), undefined, {});
  await repository.unlockJob(job!);
  expect(lines.join('')).toContain('could not be given back');
  await gone.end();
});
