import { setTimeout as sleep } from 'node:timers/promises';
import { type JobDefinition, startJobWorker } from '@rentapi/platform/jobs';
import { expectedTable } from '@rentapi/platform/jobs/schema';
import { createLogger } from '@rentapi/platform/logger';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { eventually, runControl, startApp, type TestApp } from '../../test/app.ts';
import { type Context, type Ports, systemContext } from '../context.ts';
import { transaction } from '../data/transaction.ts';
import { startJobProcessing, type WorkerOptions } from '../processes.ts';
import { enqueue } from './enqueue.ts';
import { createJobRegistry, type DataJob, type Job, job, type RunControl } from './job.ts';
import { startScheduler } from './scheduler.ts';

let app: TestApp;
const workers: { stop(): Promise<void> }[] = [];
let names = 0;

beforeAll(async () => {
  app = await startApp();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});
afterAll(() => app.close());

const database = () => app.ports.database;
const Input = z.strictObject({ n: z.number() });

/** A job of its own for each test, so that tests do not see each other's. */
function testJob(
  run: (ctx: Context, data: z.output<typeof Input>, work: RunControl) => Promise<void>,
  options: Partial<Pick<Job, 'queue' | 'attempts' | 'timeoutMs' | 'concurrency'>> = {},
): DataJob<typeof Input> {
  return job({ name: `test.${++names}`, queue: 'maintenance', backoffMs: () => 20, ...options, data: Input, run });
}

/** A worker as in another process: with its own pool, scheduler and dispatcher. */
function startWorker(
  jobs: Job[],
  options: WorkerOptions = {},
  observers: Partial<Pick<Ports, 'errors' | 'tracer'>> = {},
  settings: Partial<Ports['env']> = {},
): { stop(): Promise<void> } {
  const env = { ...app.ports.env, ...settings };
  const ports = { ...app.ports, ...observers, env, jobs: createJobRegistry(jobs) };
  const worker = startJobProcessing(ports, app.databaseUrl, options);
  workers.push(worker);
  return worker;
}

function enqueueInput(of: DataJob<typeof Input>, n = 0, options: { key?: string; at?: Date } = {}): Promise<void> {
  return transaction(systemContext(app.ports, 'test'), (ctx) => enqueue(ctx, of, { n }, options));
}

/** A job that is never enqueued, for a worker that is observed from outside. */
const idle = (name: string): JobDefinition => ({
  name,
  queue: 'maintenance',
  concurrency: 1,
  attempts: 1,
  timeoutMs: 1000,
  backoffMs: () => 0,
  run: async () => {},
});

const keepingLog = (lines: string[]) =>
  createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });

const queued = (name: string) => database()('agenda_jobs').where({ name });
const dead = (name: string) => database()('dead_jobs').where({ name });
const nothingQueued = (name: string) =>
  eventually(async () => {
    const left = [...(await database()('outbox').where({ job: name })), ...(await queued(name))];
    return left.length === 0 ? true : undefined;
  }, `${name} to be done`);

/** As if a worker had taken the job and been killed `ago` ms ago. */
async function takeAndDie(name: string, agoMs: number): Promise<void> {
  await eventually(async () => (await queued(name))[0], `${name} in the queue`);
  await queued(name).update({
    lockedAt: new Date(Date.now() - agoMs),
    lastModifiedBy: 'a dead worker',
    lastRunAt: new Date(),
    startedAt: new Date(),
    nextRunAt: null,
    starts: database().raw('starts + 1'),
  });
}

describe('a job', () => {
  it('is enqueued in the transaction that requests it, and only in one', async () => {
    const ran: number[] = [];
    const work = testJob(async (_, { n }) => void ran.push(n));
    startWorker([work]);
    const undone = transaction(systemContext(app.ports, 'test'), async (ctx) => {
      await enqueue(ctx, work, { n: 1 });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await expect(enqueue(systemContext(app.ports, 'test'), work, { n: 2 })).rejects.toThrow('transaction');
    await enqueueInput(work, 3);
    await eventually(() => ran[0], 'the run');
    expect(ran).toEqual([3]);
  });

  it('is enqueued once for 50 concurrent requests with the same key, in several processes', async () => {
    const ran: number[] = [];
    const gate = Promise.withResolvers<void>();
    const work = testJob(async (_, { n }) => {
      ran.push(n);
      await gate.promise;
    });
    for (let i = 0; i < 3; i++) startWorker([work]);
    await Promise.all(Array.from({ length: 50 }, (_, n) => enqueueInput(work, n, { key: 'same' })));
    await eventually(
      async () => ((await database()('outbox')).length === 0 ? true : undefined),
      'the outbox to be empty',
    );
    await eventually(() => ran.length || undefined, 'the run');
    expect(await queued(work.name)).toHaveLength(1);
    gate.resolve();
    await nothingQueued(work.name);
    expect(ran).toHaveLength(1);
  });

  it('starts without waiting for a poll when a process that runs no jobs enqueues it', async () => {
    const connected = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const work = testJob(async () => started.resolve());
    const patient = startJobWorker({
      url: app.databaseUrl,
      log: app.ports.log,
      pollMs: 600_000, // only a notification can wake it
      definitions: [
        {
          name: work.name,
          queue: work.queue,
          concurrency: 1,
          attempts: 1,
          timeoutMs: 1000,
          backoffMs: () => 0,
          run: () => work.run(systemContext(app.ports, 'test'), {}, runControl()),
        },
      ],
    });
    const subscription = app.ports.notifications.subscribe({
      channels: { enqueued: (names) => patient.wake(names.split(',')) },
      onListening: connected.resolve,
    });
    await connected.promise;
    await enqueueInput(work);
    await started.promise;
    subscription.unsubscribe();
    await patient.drain(1000);
  });

  it('is moved within a moment although its notification was lost', async () => {
    const ran: number[] = [];
    const work = testJob(async (_, { n }) => void ran.push(n));
    startWorker([work]);
    // The second comes just after a round of the dispatcher, whose own poll would find it too late.
    for (const n of [1, 2]) {
      await database()('outbox').insert({ job: work.name, data: { n }, availableAt: new Date() });
      await eventually(() => (ran.includes(n) ? true : undefined), 'the run', 10_000);
    }
  });

  it('without a time is due at once', async () => {
    const work = testJob(async () => {});
    // A transaction of the pool writes it at once.
    const age = await app.ports.database.transaction(async (db) => {
      await enqueue({ ...systemContext(app.ports, 'test'), db }, work, { n: 1 });
      return db('outbox')
        .where({ job: work.name })
        .first(db.raw("now() - available_at < interval '1 minute' as young"));
    });
    expect(age).toEqual({ young: true });
  });

  it('does not run before its time', async () => {
    let ranAt = 0;
    const work = testJob(async () => {
      ranAt = Date.now();
    });
    startWorker([work]);
    const at = new Date(Date.now() + 700);
    await enqueueInput(work, 0, { at });
    await eventually(() => ranAt || undefined, 'the run');
    expect(ranAt).toBeGreaterThanOrEqual(at.getTime());
  });

  it('runs only in workers of its queue', async () => {
    const ran: string[] = [];
    const mail = testJob(async () => void ran.push('mail'), { queue: 'emails' });
    const sweep = testJob(async () => void ran.push('sweep'));
    startWorker([mail, sweep], { queues: ['emails'] });
    await enqueueInput(sweep);
    await enqueueInput(mail);
    await eventually(() => (ran.includes('mail') ? true : undefined), 'the mail');
    expect(ran).toEqual(['mail']);
    expect(await queued(sweep.name)).toHaveLength(1);
  });

  it('leaves nothing behind when it is done', async () => {
    const work = testJob(async () => {});
    startWorker([work]);
    for (let n = 0; n < 60; n++) await enqueueInput(work, n);
    await nothingQueued(work.name);
    expect(await dead(work.name)).toEqual([]);
  });
});

describe('a lease', () => {
  it('is renewed while the job makes progress, so that no other worker starts it', async () => {
    let starts = 0;
    const gate = Promise.withResolvers<void>();
    const work = testJob(async () => {
      starts++;
      await gate.promise;
    });
    const leaseMs = 4000;
    startWorker([work], { leaseMs });
    startWorker([work], { leaseMs });
    await enqueueInput(work);
    const lockedAt = async (): Promise<number | undefined> => (await queued(work.name))[0]?.lockedAt?.getTime();
    const first = await eventually(lockedAt, 'the run');
    const outlasts = async () => ((await lockedAt())! > first + leaseMs ? true : undefined);
    await eventually(outlasts, 'renewals for longer than the first lease');
    gate.resolve();
    await nothingQueued(work.name);
    expect(starts).toBe(1);
  });

  it('ends soon after its worker has died, and the work resumes elsewhere', async () => {
    const ran: number[] = [];
    const work = testJob(async (_, { n }) => void ran.push(n));
    await enqueueInput(work, 7);
    await takeAndDie(work.name, 31_000);
    startWorker([work]);
    await nothingQueued(work.name);
    expect(ran).toEqual([7]);
  });

  it('is not cut short: a job stays with a worker that renewed its lease within 30 s', async () => {
    let starts = 0;
    const work = testJob(async () => void starts++);
    await enqueueInput(work);
    await takeAndDie(work.name, 20_000);
    startWorker([work]);
    await sleep(1500);
    expect(starts).toBe(0);
  });

  it('that was lost stops the run, whose late end does not affect the new worker', async () => {
    const begun = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const work = testJob(async (_, __, { signal }) => {
      begun.resolve();
      signal.addEventListener('abort', () => aborted.resolve());
      await aborted.promise;
    });
    startWorker([work], { leaseMs: 3000 });
    await enqueueInput(work);
    await begun.promise;
    const row = (await queued(work.name))[0];
    const lockedAt = new Date(row.lockedAt.getTime() + 10_000);
    await queued(work.name).update({ lockedAt, lastModifiedBy: 'another' });
    await aborted.promise;
    await sleep(200);
    expect((await queued(work.name))[0]).toMatchObject({ lockedAt, lastModifiedBy: 'another' });
  });

  it('being renewed at the end of its run delays that end, and then the key is free again', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ran: number[] = [];
    const work = testJob(async (_, { n }) => {
      ran.push(n);
      await gates[n]!.promise;
    });
    startWorker([work], { leaseMs: 3000 });
    await enqueueInput(work, 0, { key: 'renewed' });
    await eventually(() => ran[0] === 0 || undefined, 'the run');
    // The lock on the row delays the renewal.
    await app.rows.transaction(async (holding) => {
      await holding('agenda_jobs').where({ name: work.name }).forUpdate();
      await eventually(async () => {
        const { rows } = await app.rows.raw(
          "select 1 from pg_stat_activity where datname = current_database() and application_name = 'rentapi jobs' and wait_event_type = 'Lock'",
        );
        return rows[0];
      }, 'the renewal');
      gates[0]!.resolve();
      await sleep(200); // long enough to show an end that does not wait
    });
    await nothingQueued(work.name);
    gates[1]!.resolve();
    await enqueueInput(work, 1, { key: 'renewed' });
    await nothingQueued(work.name);
    expect(ran).toEqual([0, 1]);
  });

  it('whose renewal got no answer leaves no stuck row: the job runs once more', async () => {
    let starts = 0;
    const work = testJob(async () => {
      if (++starts > 1) return;
      // As if the database committed a renewal and the connection was lost before the answer arrived.
      await app
        .rows('agenda_jobs')
        .where({ name: work.name })
        .update({ lockedAt: new Date(Date.now() + 1) });
    });
    startWorker([work], { leaseMs: 1000 });
    await enqueueInput(work, 0, { key: 'unanswered' });
    await nothingQueued(work.name);
    expect(starts).toBe(2);
    expect(await dead(work.name)).toEqual([]);
  });

  it('that was lost leaves it to the other worker to declare the job dead', async () => {
    const theirs = { lockedAt: new Date(Date.now() + 10_000), lastModifiedBy: 'another' };
    const work = testJob(
      async () => {
        await app.rows('agenda_jobs').where({ name: work.name }).update(theirs);
        throw new Error('no');
      },
      { attempts: 1 },
    );
    const reported: string[] = [];
    startWorker(
      [work],
      {},
      { errors: { report: (error) => void reported.push(String(error)), close: async () => {} } },
    );
    await enqueueInput(work);
    await eventually(() => reported[0], 'the failure');
    await sleep(200);
    expect(await queued(work.name)).toMatchObject([theirs]);
    expect(await dead(work.name)).toEqual([]);
  });

  it('does not keep a stuck run alive; touch() reports progress', async () => {
    const ends: string[] = [];
    const stuck = testJob(
      async (_, __, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ends.push('aborted');
      },
      { timeoutMs: 200, attempts: 1 },
    );
    const busy = testJob(
      async (_, __, { touch }) => {
        for (let i = 0; i < 9; i++) {
          await sleep(500);
          touch();
        }
        ends.push('finished');
      },
      { timeoutMs: 4000, attempts: 1 },
    );
    startWorker([stuck, busy]);
    await enqueueInput(stuck);
    await enqueueInput(busy);
    await nothingQueued(stuck.name);
    await nothingQueued(busy.name);
    expect(ends.sort()).toEqual(['aborted', 'finished']);
    expect(await dead(busy.name)).toEqual([]);
    expect(await dead(stuck.name)).toMatchObject([{ reason: expect.stringContaining('200 ms') }]);
  });
});

describe('a job that fails', () => {
  it('is tried again, and is moved to the dead jobs when its attempts are used up', async () => {
    let starts = 0;
    const work = testJob(
      async () => {
        starts++;
        throw new Error(`no ${starts}`);
      },
      { attempts: 3 },
    );
    const since = app.logs.length;
    startWorker([work]);
    await enqueueInput(work, 5, { key: 'five' });
    await nothingQueued(work.name);
    expect(starts).toBe(3);
    const lines = app.logs.slice(since).filter((line) => line.includes(work.name) && line.includes('"dead":true'));
    expect(lines).toHaveLength(1);
    expect(await dead(work.name)).toMatchObject([
      { starts: 3, reason: 'Error: no 3', data: { n: 5 }, uniqueKey: `${work.name}/key/five` },
    ]);
  });

  it('by killing its worker is declared dead too, without another start', async () => {
    let starts = 0;
    const work = testJob(async () => void starts++, { attempts: 2 });
    await enqueueInput(work);
    await takeAndDie(work.name, 31_000);
    await takeAndDie(work.name, 31_000);
    startWorker([work]);
    await nothingQueued(work.name);
    expect(starts).toBe(0);
    expect(await dead(work.name)).toMatchObject([{ reason: expect.stringContaining('its worker died') }]);
  });
});

describe('the log of a job', () => {
  const only = async (name: string) => (await dead(name))[0].log;

  it('has each attempt that failed, with its error, and outlives the last', async () => {
    let starts = 0;
    const work = testJob(
      async () => {
        throw new Error(`no ${++starts} for jane@example.com at postgres://me:secret@example.com`);
      },
      { attempts: 2 },
    );
    startWorker([work]);
    await enqueueInput(work);
    await nothingQueued(work.name);
    const time = expect.stringMatching(/^\d{4}-/);
    const attempt = (n: number) => ({
      attempt: n,
      outcome: 'FAILED',
      startedAt: time,
      endedAt: time,
      error: `Error: no ${n} for [redacted] at postgres:[redacted]`,
    });
    expect(await only(work.name)).toEqual([attempt(1), attempt(2)]);
  });

  it('has an attempt whose worker died as lost', async () => {
    const work = testJob(
      async () => {
        throw new Error('no');
      },
      { attempts: 2 },
    );
    await enqueueInput(work);
    await takeAndDie(work.name, 31_000);
    startWorker([work]);
    await nothingQueued(work.name);
    expect(await only(work.name)).toMatchObject([
      { attempt: 1, outcome: 'LOST', endedAt: null, error: null },
      { attempt: 2, outcome: 'FAILED', error: 'Error: no' },
    ]);
  });

  it('keeps the newest 50', async () => {
    const work = testJob(
      async () => {
        throw new Error('no');
      },
      { attempts: 1 },
    );
    await enqueueInput(work);
    await eventually(async () => (await queued(work.name))[0], 'the job');
    const before = Array.from({ length: 50 }, (_, attempt) => ({ attempt, outcome: 'LOST' }));
    await queued(work.name).update({ log: JSON.stringify(before) });
    startWorker([work]);
    await nothingQueued(work.name);
    const log = await only(work.name);
    expect([log.length, log[0].attempt, log.at(-1).outcome]).toEqual([50, 1, 'FAILED']);
  });

  it('stays with a job that succeeds in the end', async () => {
    let starts = 0;
    const work = testJob(async () => {
      if (++starts === 1) throw new Error('not yet');
    });
    startWorker([work]);
    await enqueueInput(work);
    await nothingQueued(work.name);
    expect(await database()('done_jobs').where({ name: work.name })).toMatchObject([
      { starts: 2, log: [{ attempt: 1, error: 'Error: not yet' }], startedAt: expect.any(Date) },
    ]);
  });

  it('has no attempt that its worker gave back when it stopped', async () => {
    const begun = Promise.withResolvers<void>();
    const work = testJob(async () => {});
    const stopping = startJobWorker({
      url: app.databaseUrl,
      log: app.ports.log,
      definitions: [
        {
          ...idle(work.name),
          timeoutMs: 60_000,
          run: async () => {
            begun.resolve();
            await new Promise(() => {});
          },
        },
      ],
    });
    await enqueueInput(work);
    await begun.promise;
    await stopping.drain(100);
    startWorker([work]);
    await nothingQueued(work.name);
    expect(await database()('done_jobs').where({ name: work.name })).toMatchObject([{ starts: 1, log: [] }]);
  });
});

describe('progress', () => {
  it('is stored while the job runs', async () => {
    const gate = Promise.withResolvers<void>();
    const work = testJob(async (_, __, { touch }) => {
      touch(0.25);
      await gate.promise;
    });
    startWorker([work], { leaseMs: 1000 });
    await enqueueInput(work);
    await eventually(async () => (await queued(work.name))[0]?.progress === 0.25 || undefined, 'the progress');
    gate.resolve();
    await nothingQueued(work.name);
  });
});

describe('a run', () => {
  it('is counted, timed and traced, and each failure is reported with its job, id and attempt', async () => {
    const reported: unknown[] = [];
    const spans: { name: string; attributes: Record<string, unknown>; failed: boolean }[] = [];
    const tracer: Ports['tracer'] = {
      start: (name, _, given) => {
        const span = { name, attributes: { ...given } as Record<string, unknown>, failed: false };
        return {
          setAttribute: (key: string, value: unknown) => void (span.attributes[key] = value),
          setStatus: () => void (span.failed = true),
          end: () => void spans.push(span),
        } as unknown as ReturnType<NonNullable<Ports['tracer']>['start']>;
      },
      close: async () => {},
    };
    const errors: Ports['errors'] = {
      report: (error, facts) => void reported.push([error, facts]),
      close: async () => {},
    };
    const failing = testJob(
      async () => {
        throw new Error('no');
      },
      { attempts: 2 },
    );
    const slow = testJob(() => sleep(150));
    startWorker([failing, slow], {}, { errors, tracer });
    await enqueueInput(failing);
    await enqueueInput(slow);
    await nothingQueued(failing.name);
    await nothingQueued(slow.name);
    await eventually(() => spans.length === 3 || undefined, 'the end of what was taken off the queue');

    const jobId = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const failure = (attempt: string, outcome: string) => [
      expect.objectContaining({ message: 'no' }),
      { job: failing.name, jobId, attempt, outcome },
    ];
    expect(reported).toEqual([failure('1', 'failed'), failure('2', 'dead')]);
    const span = (name: string, attempt: string, outcome: string) => ({
      name,
      attributes: {
        'rentapi.job': name,
        'rentapi.job.id': jobId,
        'rentapi.job.attempt': attempt,
        'rentapi.job.outcome': outcome,
      },
      failed: outcome !== 'succeeded',
    });
    expect(spans.filter(({ name }) => name === failing.name)).toEqual([
      span(failing.name, '1', 'failed'),
      span(failing.name, '2', 'dead'),
    ]);
    expect(spans.filter(({ name }) => name === slow.name)).toEqual([span(slow.name, '1', 'succeeded')]);

    const text = await app.ports.metrics.registry.metrics();
    const metric = (line: string) =>
      Number(
        text
          .split('\n')
          .find((each) => each.startsWith(`${line} `))
          ?.split(' ')
          .at(-1),
      );
    expect(metric(`rentapi_jobs_total{job="${failing.name}",outcome="failed"}`)).toBe(1);
    expect(metric(`rentapi_jobs_total{job="${failing.name}",outcome="dead"}`)).toBe(1);
    expect(metric(`rentapi_jobs_total{job="${slow.name}",outcome="succeeded"}`)).toBe(1);
    expect(metric(`rentapi_job_duration_seconds_count{job="${failing.name}"}`)).toBe(2);
    const took = metric(`rentapi_job_duration_seconds_sum{job="${slow.name}"}`);
    expect(took).toBeGreaterThan(0.14);
    expect(took).toBeLessThan(140); // as it would be in milliseconds
  });
});

describe('a worker', () => {
  it('that stops lets its jobs finish', async () => {
    let finished = 0;
    const begun = Promise.withResolvers<void>();
    const work = testJob(async () => {
      begun.resolve();
      await sleep(500);
      finished++;
    });
    const worker = startWorker([work]);
    await enqueueInput(work);
    await begun.promise;
    await worker.stop();
    expect(finished).toBe(1);
    expect(await queued(work.name)).toEqual([]);
  });

  it('that can wait no longer aborts its jobs and releases them at once', async () => {
    const ran: string[] = [];
    const begun = Promise.withResolvers<void>();
    const work = testJob(async () => {});
    const definition = (who: string, run: () => Promise<void>) => ({
      name: work.name,
      queue: work.queue,
      concurrency: 1,
      attempts: 1,
      timeoutMs: 60_000,
      backoffMs: () => 0,
      run: () => {
        ran.push(who);
        return run();
      },
    });
    const options = { url: app.databaseUrl, log: app.ports.log };
    const first = startJobWorker({
      ...options,
      definitions: [
        definition('first', async () => {
          begun.resolve();
          await new Promise(() => {}); // ignores its signal
        }),
      ],
    });
    await enqueueInput(work);
    await begun.promise;
    await first.drain(100);
    const second = startJobWorker({ ...options, definitions: [definition('second', async () => {})] });
    await nothingQueued(work.name);
    expect(ran).toEqual(['first', 'second']);
    expect(await dead(work.name)).toEqual([]); // stopping is no failure
    await second.drain(1000);
  });

  it('takes only as many jobs as it can run, so that others share the backlog', async () => {
    const gate = Promise.withResolvers<void>();
    const work = testJob(() => gate.promise, { concurrency: 3 });
    startWorker([work]);
    await Promise.all(Array.from({ length: 50 }, (_, n) => enqueueInput(work, n)));
    await eventually(async () => ((await queued(work.name)).length === 50 ? true : undefined), 'the backlog');
    await sleep(1200); // after a poll and a notification
    expect(await queued(work.name).whereNotNull('lockedAt')).toHaveLength(3);
    gate.resolve();
    await nothingQueued(work.name);
  });

  it('runs no more jobs of a queue at once than its setting says, and lets no name keep the queue', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const worker = (name: string) => async () => {
      most = Math.max(most, ++running);
      order.push(name);
      await (order.length === 1 ? gates[0] : gates[1])!.promise;
      running--;
    };
    const many = testJob(worker('many'), { queue: 'analytics' });
    const few = testJob(worker('few'), { queue: 'analytics' });
    const other = testJob(async () => void order.push('other'), { queue: 'maintenance' });
    for (let n = 0; n < 20; n++) await enqueueInput(many, n);
    await eventually(async () => (await queued(many.name)).length === 20 || undefined, 'the backlog');
    startWorker([many, few, other], {}, {}, { ANALYTICS_CONCURRENCY: 1 });
    await eventually(() => order[0], 'the first run');
    await enqueueInput(few);
    await enqueueInput(other);
    await eventually(() => order.includes('other') || undefined, 'the run of another queue');
    // The worker has asked for `few`, and found no slot.
    await eventually(async () => (await queued(few.name))[0], 'the other name');
    await sleep(3000);
    gates[0]!.resolve();
    gates[1]!.resolve();
    await nothingQueued(many.name);
    await nothingQueued(few.name);
    expect(most).toBe(1);
    expect(order.filter((name) => name !== 'other').indexOf('few')).toBeLessThanOrEqual(2);
  });

  it('outlives the loss of every connection', async () => {
    const ran: number[] = [];
    const work = testJob(async (_, { n }) => void ran.push(n));
    startWorker([work]);
    await enqueueInput(work, 1);
    await nothingQueued(work.name);
    await database().raw(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name in ('rentapi jobs', 'rentapi notifications')",
    );
    await enqueueInput(work, 2);
    await nothingQueued(work.name);
    expect(ran).toEqual([1, 2]);
  });

  it('reports it while the database gives it no jobs, and continues to poll', async () => {
    const lines: string[] = [];
    const url = new URL(app.databaseUrl);
    url.searchParams.set('options', '-c default_transaction_read_only=on'); // as on a standby
    const worker = startJobWorker({
      url: url.href,
      log: keepingLog(lines),
      definitions: [idle('test.read_only')],
      pollMs: 50,
    });
    const said = () => lines.filter((line) => line.includes('jobs: supervision failed')).length;
    await eventually(() => said() >= 2 || undefined, 'two complaints');
    await worker.drain(100);
    expect(lines.join('')).toContain('read-only');
  });

  it('creates no table: workers that start together would crash each other', async () => {
    const unmigrated = await cloneDatabase(inject('postgres'));
    const owner = openDatabase(unmigrated.ownerUrl, { poolMax: 2 });
    try {
      await owner.schema.dropTable('agenda_jobs');
      const lines: string[] = [];
      const definitions = [idle('test.unmigrated')];
      const worker = startJobWorker({ url: unmigrated.ownerUrl, log: keepingLog(lines), definitions, pollMs: 50 });
      await eventually(
        async () =>
          lines.some((line) => line.includes('agenda_jobs')) ||
          (await owner.schema.hasTable('agenda_jobs')) ||
          undefined,
        'a look at the table',
      );
      await worker.drain(100);
      expect(await owner.schema.hasTable('agenda_jobs')).toBe(false);
    } finally {
      await owner.destroy();
      await unmigrated.drop();
    }
  });

  it('waits for a database that is not there yet, and can stop while it waits', async () => {
    const worker = startJobWorker({
      url: 'postgres://nobody@127.0.0.1:1/none',
      log: app.ports.log,
      definitions: [],
    });
    await sleep(700);
    await worker.drain(100);
  });
});

describe('the table of jobs', () => {
  it('has exactly the columns of this version of Agenda', async () => {
    await app.rows.raw(expectedTable('expected_jobs'));
    const columns = (table: string) =>
      app
        .rows('information_schema.columns')
        .where({ tableName: table })
        .whereNotIn('columnName', ['unique_key', 'starts', 'number', 'started_at', 'log'])
        .orderBy('columnName')
        .select('columnName', 'dataType', 'isNullable', 'columnDefault', 'characterMaximumLength');
    expect(await columns('agenda_jobs')).toEqual(await columns('expected_jobs'));
  });
});

describe('a schedule', () => {
  it('ticks once with any number of schedulers, and keeps a tick that is due at their start', async () => {
    const ticks: Date[] = [];
    const work = job({
      name: `test.${++names}`,
      queue: 'maintenance',
      every: '0 3 * * *',
      run: async (_, { at }) => void ticks.push(at),
    });
    const due = new Date(Date.now() - 5000);
    await database()('job_schedules').insert({ name: work.name, every: work.every, nextAt: due });
    for (let i = 0; i < 5; i++) startWorker([work]);
    await eventually(() => ticks[0], 'the tick');
    await sleep(1200); // every scheduler has polled again
    expect(ticks).toEqual([due]);
    const { nextAt } = await database()('job_schedules').where({ name: work.name }).first();
    expect([nextAt.getUTCHours(), nextAt.getUTCMinutes(), nextAt > new Date()]).toEqual([3, 0, true]);
  });

  it('ticks at its moment, not at the next look at all schedules', async () => {
    const ticks: Date[] = [];
    const run = async (_: unknown, { at }: { at: Date }) => void ticks.push(at);
    startWorker([job({ name: `test.${++names}`, queue: 'maintenance', every: '1 second', run })]);
    const isNear = (at: Date, nth: number) => nth > 0 && at.getTime() - ticks[nth - 1]!.getTime() < 5000;
    await eventually(() => ticks.some(isNear) || undefined, 'two ticks between two looks', 60_000);
  });

  it('resumes the run of a tick whose worker was killed', async () => {
    const ticks: Date[] = [];
    const work = job({
      name: `test.${++names}`,
      queue: 'maintenance',
      every: '1 day',
      run: async (_, { at }) => void ticks.push(at),
    });
    const due = new Date(Date.now() - 5000);
    await database()('job_schedules').insert({ name: work.name, every: work.every, nextAt: due });
    const scheduler = startScheduler({ database: database(), log: app.ports.log, jobs: [work] });
    await takeAndDie(work.name, 31_000);
    await scheduler.stop();
    startWorker([work]);
    await eventually(() => ticks[0], 'the run');
    expect(ticks).toEqual([due]);
  });

  it('follows its job when that gets another schedule', async () => {
    const name = `test.${++names}`;
    const far = new Date(Date.now() + 1e9);
    await database()('job_schedules').insert({ name, every: '1 day', nextAt: far });
    startWorker([job({ name, queue: 'maintenance', every: '5 minutes', run: async () => {} })]);
    await eventually(async () => {
      const row = await database()('job_schedules').where({ name }).first();
      return row.every === '5 minutes' && row.nextAt < far ? true : undefined;
    }, 'the new schedule');
  });
});
