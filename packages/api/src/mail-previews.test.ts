import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../test/app.ts';
import { previewMails } from './mail-previews.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

it('shows every kind of mail without anything having happened, and leaves nothing behind', async () => {
  const tables = await app.rows('pg_tables').where({ schemaname: 'public' }).orderBy('tablename').pluck('tablename');
  const rows = async () =>
    Promise.all(tables.map(async (table) => [table, (await app.rows(table).count())[0]?.['count']] as const));
  const before = await rows();
  const previews = await previewMails(app.ports);
  const mailing = app.ports.jobs.all.filter(({ queue, on }) => queue === 'emails' && on);
  expect(previews.map(({ name }) => name)).toEqual(mailing.map(({ name }) => name).toSorted());
  for (const { name, mail, cause } of previews) {
    expect([name, mail.subject, mail.text, cause]).toEqual([
      name,
      expect.stringMatching(/^\S/),
      expect.stringMatching(/\S\n$/),
      expect.stringMatching(/\.$/),
    ]);
    expect([name, mail.html]).toEqual([name, expect.stringContaining('content="light dark"')]);
    expect(mail.messageId).toMatch(/^evt_\w+@/);
  }
  expect(await rows()).toEqual(before);
  expect(app.mails).toEqual([]);
});

it('has one of each kind that people are promised', async () => {
  const subjects = (await previewMails(app.ports)).map(({ mail }) => mail.subject);
  for (const kind of [
    /^Welcome/,
    /Confirm your e-mail/,
    /Set a new password/,
    /address was changed/,
    /invited to/,
    /data are ready/,
  ])
    expect(
      subjects.filter((subject) => kind.test(subject)),
      String(kind),
    ).not.toEqual([]);
});
