import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, runControl, startApp, type TestApp } from '../../test/app.ts';
import { makeOrganization } from '../../test/organization.ts';
import { systemContext } from '../context.ts';
import type { RecordedEvent } from '../jobs/job.ts';
import { readEvent } from '../jobs/read-event.ts';
import { mailText } from './mail-text.ts';
import { admitMail } from './mailbox-limit.ts';

const MINUTE_MS = 60_000;
const control = runControl();

describe('a mailbox', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ MAILBOX_LIMIT_PER_HOUR: '5' });
  });
  afterAll(() => app.close());

  const mailsTo = (email: string) => app.mails.filter(({ to }) => to === email).length;
  const ask = (path: string, email: string) => app.request(`/api/v1${path}`, { method: 'POST', body: { email } });
  const waiting = () => app.rows('agenda_jobs').where({ name: 'mail.later' }).select('data');
  /** Resolves when every requested mail is sent, dropped or postponed. */
  const settled = () =>
    eventually(async () => {
      const [asked] = await app.rows('outbox').count();
      const [queued] = await app.rows('agenda_jobs').whereRaw(`name ~ 'mail' and name !~ '^mail[.]'`).count();
      return Number(asked!['count']) + Number(queued!['count']) === 0 ? true : undefined;
    }, 'the mails to be settled');

  it('gets at most one mail a minute and five an hour, for any number of requests', async () => {
    const { email } = await app.signUp();
    await settled();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/auth/resend-verification', email)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await settled();
    expect(mailsTo(email)).toBe(1);
    const counts = [];
    for (let minute = 1; minute <= 7; minute++) {
      app.advance(MINUTE_MS);
      for (let time = 0; time < 2; time++) await ask('/auth/resend-verification', email);
      await settled();
      counts.push(mailsTo(email));
    }
    expect(counts).toEqual([2, 3, 4, 5, 5, 5, 5]);
    app.advance(60 * MINUTE_MS);
    await ask('/auth/resend-verification', email);
    await settled();
    expect(mailsTo(email)).toBe(6);
    app.advance(-67 * MINUTE_MS);
  });

  it('gets its own reset mails, however many mails strangers cause, at most five an hour', async () => {
    const { email } = await app.signUp();
    await settled();
    const register = () =>
      app.request('/api/v1/auth/register', { method: 'POST', body: { email, password: 'another fine password' } });
    for (let minute = 1; minute <= 6; minute++) {
      app.advance(MINUTE_MS);
      await register();
      await settled();
    }
    const resets = () => app.mails.filter(({ to, text }) => to === email && text.includes('/reset-password?')).length;
    expect([mailsTo(email), resets()]).toEqual([5, 0]);
    await ask('/auth/password-reset/request', email);
    await settled();
    expect(resets()).toBe(1);
    for (let minute = 1; minute <= 6; minute++) {
      app.advance(MINUTE_MS);
      await ask('/auth/password-reset/request', email);
      await settled();
    }
    expect([mailsTo(email), resets()]).toEqual([10, 5]);
    app.advance(-12 * MINUTE_MS);
  });

  it('gets mails that came too early later, one of each kind', async () => {
    await app.rows('agenda_jobs').where({ name: 'mail.later' }).delete();
    const { email } = await app.signUp();
    await settled();
    for (let time = 0; time < 3; time++) await ask('/auth/resend-verification', email);
    await settled();
    const later = await waiting();
    expect(later).toHaveLength(1);
    app.advance(MINUTE_MS);
    const job = app.ports.jobs.all.find(({ name }) => name === 'mail.later')!;
    await job.run(systemContext(app.ports, 'test'), later[0]!.data, control);
    app.advance(-MINUTE_MS);
    expect(mailsTo(email)).toBe(2);
  });

  it('is not flooded by many organizations that invite it', async () => {
    const email = 'stranger@example.com';
    const organizations = await Promise.all(Array.from({ length: 7 }, () => makeOrganization(app)));
    const answers = await Promise.all(
      organizations.map(({ owner, path }) =>
        owner.request(`${path}/invitations`, { method: 'POST', body: { email, role: 'MEMBER' } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(201));
    await settled();
    expect(mailsTo(email)).toBe(1);
  });

  it('counts a repeated mail once', async () => {
    const event: RecordedEvent<{ email: string }> = {
      id: 2 ** 40,
      organizationId: null,
      type: 'test',
      data: { email: 'again@example.com' },
      createdAt: new Date(),
    };
    const admit = () => admitMail(systemContext(app.ports, 'test'), { job: 'test', share: 'any' }, event);
    expect([await admit(), await admit()]).toEqual([true, true]);
    expect(await app.rows('mailbox_mails').where({ eventId: event.id })).toHaveLength(1);
  });

  it('is stored as a keyed hash for an hour', async () => {
    const { email } = await app.signUp();
    await settled();
    expect(JSON.stringify(await app.rows('mailbox_mails'))).not.toContain(email);
    const purge = app.ports.jobs.all.find(({ name }) => name === 'mail.purge_mailbox_mails')!;
    app.advance(200 * MINUTE_MS);
    await purge.run(systemContext(app.ports, 'test'), { at: new Date() }, control);
    app.advance(-200 * MINUTE_MS);
    expect(await app.rows('mailbox_mails')).toEqual([]);
  });
});

describe('text of other people', () => {
  it.each([
    ['Prize! https://evil.example/win', '“Prize! https: //evil. example/win”'],
    ['www.evil.example', '“www. evil. example”'],
    ['evil\u3002example \uff0e evil\u2024example', '“evil。 example . evil. example”'],
    ['boss@evil.example', '“boss@evil. example”'],
    ['evil.\u200bexample\u202e\r\nBcc: x@evil.example', '“evil. example Bcc: x@evil. example”'],
    ['Acme Inc.', '“Acme Inc.”'],
    ['🦊'.repeat(61), `“${'🦊'.repeat(60)}…”`],
  ])('contains no link in a mail: %s', (text, quoted) => {
    expect(mailText`${text}`.text).toBe(quoted);
  });

  it('contains no link in any mail that is sent', async () => {
    const HOSTILE = 'Prize! https://evil.example/win www.evil.example evil.example <a href="//evil.example">';
    const app = await startApp();
    const { owner, path, organizationId } = await makeOrganization(app);
    const invited = await owner.request(`${path}/invitations`, {
      method: 'POST',
      body: { email: 'guest@example.com', role: 'MEMBER' },
    });
    await owner.request(`${path}/invitations/${invited.body.id}/resend`, { method: 'POST' });
    // Older rows may have such names; new ones are refused.
    await app.rows('users').update({ fullName: HOSTILE, username: HOSTILE });
    await app.rows('organizations').update({ name: HOSTILE });
    const { body: user } = await owner.request('/api/v1/users/me');
    const context = systemContext(app.ports, 'test');
    const [invitation] = await app.rows('events').where({ type: 'invitation.resent' });
    const requested = { username: HOSTILE, fullName: HOSTILE };
    const mailJobs = app.ports.jobs.all.filter(({ queue, on }) => queue === 'emails' && on);
    for (const job of mailJobs) {
      const ofInvitation = job.on!.name.startsWith('invitation.');
      const event = ofInvitation
        ? await readEvent(app.ports, job, invitation!.id)
        : {
            id: 1,
            organizationId,
            type: job.on!.name,
            data: { ...(job.on!.example as object), ...user, requested, providerName: HOSTILE },
            createdAt: new Date(),
          };
      const before = app.mails.length;
      await job.run(context, event, control);
      const mail = app.mails.slice(before).at(-1);
      if (!mail) expect.fail(`${job.name} has mailed nothing`);
      const ours = app.ports.env.PUBLIC_URL;
      const text = [mail.subject, mail.text.replaceAll(ours, ''), mail.html.replaceAll(ours, '')].join('\n');
      expect(text, job.name).not.toMatch(/:\/\/|www\.\S|\bevil\.\S|<a href="\/\/evil/);
    }
    expect(mailJobs.length).toBeGreaterThan(6);
    await app.close();
  });
});
