import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { purgeEnded } from './jobs.ts';
import { listQueues } from './service/queues.ts';

let app: TestApp;
let admin: Person;

beforeAll(async () => {
  app = await startApp();
  admin = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', admin.id) })
    .update({ role: 'ADMIN' });
});
afterEach(async () => {
  await app.rows('deadJobs').delete();
  await app.rows('doneJobs').delete();
  await app
    .rows('agendaJobs')
    .where('nextRunAt', '>', new Date(Date.now() + 3_600_000))
    .delete();
});
afterAll(() => app.close());

const publicId = (number: number) => app.ports.ids.encode('job', number);
const NUMBER = "nextval(pg_get_serial_sequence('agenda_jobs', 'number'))";

async function dead(fields: object = {}): Promise<string> {
  const [row] = await app
    .rows('deadJobs')
    .insert({
      id: app.rows.raw(NUMBER),
      name: 'webhooks.recover',
      data: '{}',
      starts: 20,
      reason: 'Error: no',
      createdAt: new Date(),
      ...fields,
    })
    .returning('id');
  return publicId(row.id);
}

/** A job that waits until tomorrow. */
async function waiting(fields: object = {}): Promise<string> {
  const nextRunAt = new Date(Date.now() + 86_400_000);
  const [row] = await app
    .rows('agendaJobs')
    .insert({ name: 'webhooks.recover', nextRunAt, ...fields })
    .returning('number');
  return publicId(row.number);
}

async function done(fields: object = {}): Promise<string> {
  const [row] = await app
    .rows('doneJobs')
    .insert({
      id: app.rows.raw(NUMBER),
      name: 'webhooks.recover',
      starts: 1,
      log: '[]',
      createdAt: new Date(),
      ...fields,
    })
    .returning('id');
  return publicId(row.id);
}

const get = (path: string) => admin.request(`/api/v1/admin${path}`);
const retry = (id: string, headers = {}) =>
  admin.request(`/api/v1/admin/jobs/${id}/retry`, { method: 'POST', headers });
const idsOf = async (query: string): Promise<string[]> =>
  (await get(`/jobs?${query}`)).body.items.map(({ id }: { id: string }) => id);

describe('the queues', () => {
  it('are all listed, with what waits, is due, runs and has failed in each', async () => {
    const before = (await get('/queues')).body.items;
    expect(before.map(({ queue }: { queue: string }) => queue)).toEqual([
      'webhooks',
      'emails',
      'analytics',
      'subscriptions',
      'maintenance',
    ]);
    const held = { lockedAt: new Date(), lastModifiedBy: 'another' };
    await waiting();
    await waiting();
    await waiting({ ...held, nextRunAt: null });
    await dead();
    // No worker sees what is not committed.
    await app.rows.transaction(async (db) => {
      const late = { name: 'webhooks.recover', nextRunAt: new Date(Date.now() - 60_000) };
      await db('agendaJobs').insert(late);
      const { ports } = app;
      const { items } = await listQueues({ ...systemContext(ports, 'test'), db });
      const webhooks = items[0]!;
      expect(webhooks).toMatchObject({ waiting: 2, due: 1, running: 1, failed: 1 });
      expect(webhooks.oldestDueSeconds).toBeGreaterThan(59);
      await db('agendaJobs').where({ name: late.name, lockedAt: null }).where('nextRunAt', '<', new Date()).delete();
    });
    await app.rows('agendaJobs').where({ lastModifiedBy: 'another' }).delete();
  });

  it('show the processes that serve them, and how much these run at once', async () => {
    await eventually(async () => (await app.rows('jobWorkers'))[0], 'the worker');
    const seenAt = (agoS: number) => new Date(Date.now() - agoS * 1000);
    const concurrency = JSON.stringify({ emails: 3 });
    await app.rows('jobWorkers').insert([
      { id: app.rows.raw('gen_random_uuid()'), concurrency, seenAt: seenAt(20) },
      { id: app.rows.raw('gen_random_uuid()'), concurrency, seenAt: seenAt(300) }, // has died
    ]);
    const { items } = (await get('/queues')).body;
    expect(items[0]).toMatchObject({ queue: 'webhooks', workers: 1, concurrency: 10 });
    expect(items[1]).toMatchObject({ queue: 'emails', workers: 2, concurrency: 13 });
  });

  it('show their schedules', async () => {
    const { items } = (await get('/queues')).body;
    expect(items[0].schedules).toContainEqual({
      name: 'webhooks.sweep',
      every: '5 minutes',
      nextAt: expect.stringMatching(/^\d{4}-/),
    });
  });
});

describe('the list of jobs', () => {
  it('is newest first over every status, each job on exactly one page', async () => {
    const made = [await dead(), await waiting(), await done(), await dead(), await waiting()].toReversed();
    const first = await get('/jobs?name=webhooks.recover&limit=3');
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(made.slice(0, 3));
    const second = await get(`/jobs?name=webhooks.recover&limit=3&cursor=${first.body.nextCursor}`);
    expect(second.body.items.map(({ id }: { id: string }) => id)).toEqual(made.slice(3));
    expect(second.body.nextCursor).toBeNull();
  });

  it('is filtered by queue, name and status', async () => {
    const webhook = await dead();
    const mail = await dead({ name: 'auth.mail_lockout' });
    const later = await waiting();
    const ended = await done();
    expect(await idsOf('queue=emails&status=FAILED')).toEqual([mail]);
    expect(await idsOf('queue=webhooks&status=FAILED')).toEqual([webhook]);
    expect(await idsOf('name=auth.mail_lockout')).toEqual([mail]);
    expect(await idsOf('queue=webhooks&name=auth.mail_lockout')).toEqual([]);
    expect(await idsOf('status=WAITING&name=webhooks.recover')).toEqual([later]);
    expect(await idsOf('status=SUCCEEDED&name=webhooks.recover')).toEqual([ended]);
    expect(await idsOf('status=FAILED')).toEqual([mail, webhook]);
    expect(await idsOf('status=RUNNING&name=webhooks.recover')).toEqual([]);
  });

  it('refuses a queue, a status and a cursor that do not exist', async () => {
    for (const query of ['queue=none', 'status=DEAD']) {
      const answer = await get(`/jobs?${query}`);
      expect([statusAndCode(answer), answer.body.errors[0].path]).toEqual([
        [400, 'invalid_input'],
        query.slice(0, query.indexOf('=')),
      ]);
    }
    await dead();
    await dead();
    const { body } = await get('/jobs?status=FAILED&limit=1');
    expect(statusAndCode(await get(`/jobs?status=WAITING&cursor=${body.nextCursor}`))).toEqual([400, 'invalid_cursor']);
  });

  it('shows a job of another release, whose queue is not known', async () => {
    const id = await dead({ name: 'jobs.of_old' });
    const { body } = await get(`/jobs/${id}`);
    expect(body).toMatchObject({ name: 'jobs.of_old', queue: null, maxAttempts: null, status: 'FAILED' });
  });
});

describe('a job', () => {
  it('shows its input without what could be secret or personal', async () => {
    const data = {
      eventId: 7,
      organizationId: 8,
      strangeId: 9,
      count: 10,
      job: 'mail.later',
      since: '2026-01-31T12:00:00.000Z',
      email: 'jane@example.com',
      requester: { ip: '192.0.2.1' },
    };
    const { body } = await get(`/jobs/${await waiting({ data: JSON.stringify(data) })}`);
    expect(body.input).toEqual({
      eventId: app.ports.ids.encode('evt', 7),
      organizationId: app.ports.ids.encode('org', 8),
      strangeId: '[redacted]',
      count: 10,
      job: 'mail.later',
      since: '2026-01-31T12:00:00.000Z',
      email: '[redacted]',
      requester: '[redacted]',
    });
  });

  it('that runs shows its progress and the attempts before', async () => {
    const startedAt = new Date();
    const attempt = {
      attempt: 1,
      outcome: 'FAILED',
      startedAt: '2026-01-31T12:00:00.5+00:00',
      endedAt: null,
      error: 'no',
    };
    const id = await waiting({
      nextRunAt: null,
      lockedAt: new Date(),
      lastModifiedBy: 'another',
      startedAt,
      starts: 2,
      progress: 0.5,
      log: JSON.stringify([attempt]),
    });
    const { body } = await get(`/jobs/${id}`);
    expect(body).toMatchObject({
      status: 'RUNNING',
      attempts: 2,
      progress: 0.5,
      error: 'no',
      dueAt: null,
      startedAt: startedAt.toISOString(),
      log: [{ ...attempt, startedAt: '2026-01-31T12:00:00.500Z' }],
    });
    await app.rows('agendaJobs').where({ lastModifiedBy: 'another' }).delete();
  });
});

describe('a retry', () => {
  it('makes a failed job run again under its id, and records who did it', async () => {
    const id = await dead({ name: 'jobs.purge_ended', data: { tick: new Date().toISOString() } });
    const answer = await retry(id, { 'x-request-id': 'a-retry' });
    expect([answer.status, answer.body]).toMatchObject([200, { id, status: 'WAITING', attempts: 0 }]);
    const ended = await eventually(async () => {
      const { body } = await get(`/jobs/${id}`);
      return body.status === 'SUCCEEDED' ? body : undefined;
    }, 'the run');
    expect(ended).toMatchObject({ attempts: 1, input: null });
    const [entry, ...others] = await app.rows('auditLogs').where({ requestId: 'a-retry' });
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ action: 'job.retried', actorId: app.ports.ids.decode('usr', admin.id) });
    const event = await app.rows('events').where({ id: entry.eventId }).first();
    expect(event.data).toEqual({ id, name: 'jobs.purge_ended' });
  });

  it('happens once for 20 concurrent requests', async () => {
    const id = await dead({ name: 'jobs.purge_ended', data: { tick: new Date().toISOString() } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => retry(id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(409)]);
  });

  it('is refused for a job that has not failed, that is superseded, or that no release knows', async () => {
    expect(statusAndCode(await retry(await waiting()))).toEqual([409, 'job_not_failed']);
    expect(statusAndCode(await retry(await done()))).toEqual([409, 'job_not_failed']);
    await waiting({ uniqueKey: 'the same' });
    const old = await dead({ uniqueKey: 'the same' });
    expect(statusAndCode(await retry(old))).toEqual([409, 'job_superseded']);
    expect((await get(`/jobs/${old}`)).body.status).toBe('FAILED');
    expect(statusAndCode(await retry(await dead({ name: 'jobs.of_old' })))).toEqual([409, 'job_unknown']);
    expect(statusAndCode(await retry(publicId(2 ** 40)))).toEqual([404, 'not_found']);
  });
});

it('deletes what has succeeded after 3 days, and what has failed after 30', async () => {
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000);
  const [, kept] = [await done({ doneAt: ago(4) }), await done({ doneAt: ago(2) })];
  const [, failed] = [await dead({ diedAt: ago(31) }), await dead({ diedAt: ago(29) })];
  await purgeEnded.run(systemContext(app.ports, 'test'), { at: new Date() }, runControl());
  expect(await idsOf('name=webhooks.recover')).toEqual([failed, kept]);
});
