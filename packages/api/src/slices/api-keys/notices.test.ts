import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';

const DAY_MS = 86_400_000;
const KEYS = '/api/v1/api-keys';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const control = runControl();

async function run(name: string): Promise<void> {
  const found = app.ports.jobs.all.find((job) => job.name === name)!;
  await found.run(systemContext(app.ports, 'test'), { at: new Date() }, control);
}

/** Runs `work` so many days later. */
async function later<T>(days: number, work: () => Promise<T>): Promise<T> {
  app.advance(days * DAY_MS);
  try {
    return await work();
  } finally {
    app.advance(-days * DAY_MS);
  }
}

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

interface Team {
  organizationId: number;
  as(person: Person): Person['request'];
  owner: Person;
}

async function makeKey({ as, owner }: Team, body: object, maker = owner) {
  const { status, body: key } = await as(maker)(KEYS, { method: 'POST', body: { name: 'CI', scopes: [], ...body } });
  expect(status).toBe(201);
  return key as { id: string; name: string };
}

/** What was announced in the organization, in order: the type of each event, and how many days it says are left. */
async function announced({ organizationId }: Team): Promise<[string, string, number | undefined][]> {
  const events = await app
    .rows('events')
    .where({ organizationId })
    .whereIn('type', ['api_key.expiring', 'api_key.expired'])
    .orderBy('id');
  return events.map(({ type, data }) => [type, data.name, data.daysLeft]);
}

/** The mails to a person with this in their subject, once every job is done. */
async function mailsTo({ email }: Person, subject: RegExp) {
  await eventually(async () => {
    const [asked] = await app.rows('outbox').count();
    const [queued] = await app.rows('agenda_jobs').count();
    return Number(asked!['count']) + Number(queued!['count']) === 0 ? true : undefined;
  }, 'the jobs');
  return app.mails.filter((mail) => mail.to === email && subject.test(mail.subject)).map(({ text }) => text);
}

describe('the expiry of a key', () => {
  const notify = () => run('api_keys.notify_expiring');

  it('is announced 14 days before, 3 days before and when it has come, each once', async () => {
    const acme = await makeOrganization(app);
    await makeKey(acme, { name: 'build', expiresAt: inDays(20) });
    for (const day of [0, 5, 6.5, 7, 16.5, 17.5, 18, 19.9, 20.5, 21, 40]) await later(day, notify);
    expect(await announced(acme)).toEqual([
      ['api_key.expiring', 'build', 14],
      ['api_key.expiring', 'build', 3],
      ['api_key.expired', 'build', undefined],
    ]);
  });

  it('is announced once, although the job runs twice at the same time', async () => {
    const acme = await makeOrganization(app);
    await makeKey(acme, { name: 'a', expiresAt: inDays(10) });
    await makeKey(acme, { name: 'b', expiresAt: inDays(2) });
    await Promise.all([notify(), notify(), notify()]);
    await notify();
    expect((await announced(acme)).toSorted()).toEqual([
      ['api_key.expiring', 'a', 10],
      ['api_key.expiring', 'b', 2],
    ]);
    expect(await mailsTo(acme.owner, /Acme. expire/)).toHaveLength(1);
  });

  it('begins anew when it is changed', async () => {
    const acme = await makeOrganization(app);
    const key = await makeKey(acme, { expiresAt: inDays(10) });
    await notify();
    const move = (expiresAt: string | null) =>
      acme.as(acme.owner)(`${KEYS}/${key.id}`, { method: 'PATCH', body: { expiresAt } });
    await move(inDays(30));
    await notify();
    expect(await announced(acme)).toHaveLength(1);
    await later(20, notify);
    expect(await announced(acme)).toEqual([
      ['api_key.expiring', 'CI', 10],
      ['api_key.expiring', 'CI', 10],
    ]);
    await move(null);
    await later(29, notify);
    expect(await announced(acme)).toHaveLength(2);
  });

  it('is silent for keys that are revoked, disabled or made for less than a day, and in deleted organizations', async () => {
    const acme = await makeOrganization(app);
    const revoked = await makeKey(acme, { name: 'revoked', expiresAt: inDays(2) });
    const disabled = await makeKey(acme, { name: 'disabled', expiresAt: inDays(2) });
    await makeKey(acme, { name: 'short', expiresAt: inDays(0.9) });
    await makeKey(acme, { name: 'endless' });
    await acme.as(acme.owner)(`${KEYS}/${revoked.id}`, { method: 'DELETE' });
    await acme.as(acme.owner)(`${KEYS}/${disabled.id}`, { method: 'PATCH', body: { enabled: false } });
    const gone = await makeOrganization(app);
    await makeKey(gone, { expiresAt: inDays(2) });
    expect((await gone.owner.request(gone.path, { method: 'DELETE' })).status).toBe(204);
    for (const day of [0, 1, 3]) await later(day, notify);
    expect([await announced(acme), await announced(gone)]).toEqual([[], []]);
  });

  it('is mailed to owners and admins, and to who created the key while a member: one mail for all keys', async () => {
    const acme = await makeOrganization(app);
    const [admin, member, other, left] = [
      await acme.join('ADMIN'),
      await acme.join('MEMBER'),
      await acme.join('MEMBER'),
      await acme.join('ADMIN'),
    ];
    await makeKey(acme, { name: 'from the owner', expiresAt: inDays(2) });
    const made = await makeKey(acme, { name: 'from a member', expiresAt: inDays(10) });
    await app
      .rows('api_keys')
      .where({ id: app.ports.ids.decode('key', made.id) })
      .update({ createdBy: app.ports.ids.decode('usr', member.id) });
    await makeKey(acme, { name: 'from who left', expiresAt: inDays(10) }, left);
    await acme.as(acme.owner)(`${acme.path}/members/${left.id}`, { method: 'DELETE' });
    await notify();
    for (const person of [acme.owner, admin]) {
      const [mail, ...more] = await mailsTo(person, /Acme. expire/);
      expect(more).toEqual([]);
      for (const name of ['from the owner', 'from a member', 'from who left']) expect(mail).toContain(name);
      expect(mail).toContain('/docs/guides/api-keys');
    }
    const [own, ...more] = await mailsTo(member, /Acme. expire/);
    expect([own!.includes('from a member'), own!.includes('from the owner'), more]).toEqual([true, false, []]);
    for (const person of [other, left]) expect(await mailsTo(person, /Acme. expire/)).toEqual([]);
  });

  it('is mailed with the first twenty keys and the number of the others', async () => {
    const acme = await makeOrganization(app);
    for (let at = 0; at < 23; at++) await makeKey(acme, { name: `key ${at}`, expiresAt: inDays(2) });
    await notify();
    const [mail] = await mailsTo(acme.owner, /Acme. expire/);
    expect(mail!.match(/The key/g)).toHaveLength(20);
    expect(mail).toContain('And 3 more.');
  });
});

describe('the monthly report of keys that nothing uses', () => {
  const report = () => run('api_keys.report_inactive');
  /** The first day of a month that is at least 100 days away. */
  const first = () => {
    const at = new Date(Date.now() + 100 * DAY_MS);
    return (Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1, 8) - Date.now()) / DAY_MS;
  };

  it('is one mail for each owner, whatever the number of keys, and one a month', async () => {
    const acme = await makeOrganization(app);
    const [second, admin] = [await acme.join('OWNER'), await acme.join('ADMIN')];
    const keys: { id: string }[] = [];
    for (const name of ['never', 'long ago', 'lately', 'now', 'off']) keys.push(await makeKey(acme, { name }));
    const used = (at: number, daysAgo: number) =>
      app.rows('api_key_uses').insert({
        organizationId: acme.organizationId,
        apiKeyId: app.ports.ids.decode('key', keys[at]!.id),
        lastUsedAt: inDays(first() - daysAgo),
        lastUsedIp: '203.0.113.7',
      });
    await used(1, 95);
    await used(2, 40);
    await used(3, 2);
    await acme.as(acme.owner)(`${KEYS}/${keys[4]!.id}`, { method: 'PATCH', body: { enabled: false } });
    await later(first(), () => Promise.all([report(), report()]));
    await later(first() + 1, report);
    for (const owner of [acme.owner, second]) {
      const [mail, ...more] = await mailsTo(owner, /Acme. that nothing uses/);
      expect(more).toEqual([]);
      const [, long, short] = mail!.split(/Not used for .* days or more:/);
      expect(
        ['never', 'long ago', 'lately', 'now', 'off'].map((name) =>
          [long, short].map((each) => each!.includes(`“${name}”`)),
        ),
      ).toEqual([
        [true, false],
        [true, false],
        [false, true],
        [false, false],
        [false, false],
      ]);
      expect(mail).not.toContain('203.0.113.7');
    }
    expect(await mailsTo(admin, /Acme. that nothing uses/)).toEqual([]);
    await later(first() + 32, report);
    expect(await mailsTo(second, /Acme. that nothing uses/)).toHaveLength(2);
  });

  it('is silent for an organization whose keys are all in use or new', async () => {
    const acme = await makeOrganization(app);
    await makeKey(acme, {});
    await report();
    await later(29, report);
    expect(await mailsTo(acme.owner, /nothing uses/)).toEqual([]);
  });
});
