import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';

let app: TestApp;
let acme: TestOrganization;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  app = await startApp();
  acme = await makeOrganization(app);
  ada = acme.owner;
  bob = await acme.join('VIEWER');
});
afterAll(() => app.close());

const chat = (messageId = '') => `${acme.path}/chat/messages${messageId && `/${messageId}`}`;
const send = (person: Pick<Person, 'request'>, text: string, headers: Record<string, string> = {}) =>
  person.request(chat(), { method: 'POST', body: { text }, headers });
const edit = (person: Person, id: string, text: string, headers: Record<string, string> = {}) =>
  person.request(chat(id), { method: 'PATCH', body: { text }, headers });
const remove = (person: Person, id: string) => person.request(chat(id), { method: 'DELETE' });
const texts = async (person: Person): Promise<string[]> =>
  (await person.request(`${chat()}?limit=100`)).body.items.map(({ text }: { text: string }) => text);

/** The text in any row but that of the message itself. */
async function tablesWith(text: string): Promise<string[]> {
  const tables: string[] = await app.rows('pg_tables').where({ schemaname: 'public' }).pluck('tablename');
  const found = await Promise.all(
    tables.map(async (table) => {
      const { rows } = await app.rows.raw(`select 1 from ${table} t where t::text ilike ? limit 1`, [`%${text}%`]);
      return rows.length > 0 ? [table] : [];
    }),
  );
  return found.flat();
}

describe('messages', () => {
  it('are written by every member and every key, and read newest first', async () => {
    const here = { 'x-organization-id': acme.id };
    const { body: key } = await ada.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'bot', scopes: ['org:read'] },
      headers: here,
    });
    const sent = [
      await send(ada, 'Hello *Bob*'),
      await send(bob, 'Hello Ada\n\tline two'),
      await send(app, 'I am a bot', { 'x-api-key': key.secret }),
    ];
    expect(sent.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(sent.map(({ body }) => body.author)).toEqual([
      { kind: 'user', id: ada.id },
      { kind: 'user', id: bob.id },
      { kind: 'key', id: key.id },
    ]);
    const first = (await bob.request(`${chat()}?limit=2`)).body;
    expect(first.items.map(({ text }: { text: string }) => text)).toEqual(['I am a bot', 'Hello Ada\n\tline two']);
    await send(ada, 'one more');
    const second = (await bob.request(`${chat()}?limit=2&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ items: [{ text: 'Hello *Bob*' }], nextCursor: null });
  });

  it('are written once for each idempotency key', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const [first, again] = [await send(ada, 'only once', headers), await send(ada, 'only once', headers)];
    expect(again.body).toEqual(first.body);
    expect((await texts(ada)).filter((text) => text === 'only once')).toHaveLength(1);
  });

  it('are changed by their author alone, in the version that the author has seen', async () => {
    const { body, headers } = await send(bob, 'frist');
    expect(statusAndCode(await edit(ada, body.id, 'mine'))).toEqual([403, 'not_your_message']);
    const changed = await edit(bob, body.id, 'first', { 'if-match': headers.get('etag')! });
    expect([changed.status, changed.body.text, changed.body.createdAt]).toEqual([200, 'first', body.createdAt]);
    const late = await edit(bob, body.id, 'third', { 'if-match': headers.get('etag')! });
    expect(statusAndCode(late)).toEqual([412, 'version_mismatch']);
  });

  it('are deleted by their author, and by those who may remove members', async () => {
    const [ofAda, ofBob, another] = [await send(ada, 'a'), await send(bob, 'b'), await send(bob, 'c')];
    expect(statusAndCode(await remove(bob, ofAda.body.id))).toEqual([403, 'not_your_message']);
    expect((await remove(bob, ofBob.body.id)).status).toBe(204);
    expect((await remove(ada, another.body.id)).status).toBe(204);
    expect(statusAndCode(await remove(ada, another.body.id))).toEqual([404, 'not_found']);
    expect(statusAndCode(await edit(bob, ofBob.body.id, 'x'))).toEqual([404, 'not_found']);
  });

  it.each([
    ['too long', 'x'.repeat(4001), 'must have at most 4000 characters'],
    ['empty', '', 'must have at least 1 character'],
    ['blank', ' \n ', 'must not be blank'],
    ['with a control character', 'a\u001b[2Jb', 'must not contain control characters other than line breaks and tabs'],
    [
      'with a control character of C1',
      'a\u009bb',
      'must not contain control characters other than line breaks and tabs',
    ],
  ])('are refused where they are %s, and nothing is stored', async (_, text, message) => {
    const before = await texts(ada);
    const { status, body } = await send(ada, text);
    expect([status, body.code]).toEqual([400, 'invalid_input']);
    expect(body.errors).toMatchObject([{ path: 'text', message }]);
    expect(await texts(ada)).toEqual(before);
  });

  it('take 4,000 characters', async () => {
    expect((await send(ada, 'é'.repeat(4000))).status).toBe(201);
  });

  it('are nothing of another organization', async () => {
    const eve = await app.signUp();
    const { body } = await send(ada, 'for us alone');
    expect(statusAndCode(await send(eve, 'let me in'))).toEqual([404, 'not_found']);
    expect(statusAndCode(await eve.request(chat()))).toEqual([404, 'not_found']);
    const elsewhere = `/api/v1/organizations/${eve.organizationId}/chat/messages/${body.id}`;
    expect(statusAndCode(await eve.request(elsewhere, { method: 'DELETE' }))).toEqual([404, 'not_found']);
    expect(await texts(ada)).not.toContain('let me in');
  });
});

describe('the text of a message', () => {
  it('is in no event, audit entry or other row, so that what is deleted is gone at once', async () => {
    const text = `secret ${crypto.randomUUID()}`;
    const { body } = await send(bob, text);
    await edit(bob, body.id, `${text} again`);
    expect(await tablesWith(text)).toEqual(['chat_messages']);
    await remove(bob, body.id);
    expect(await tablesWith(text)).toEqual([]);
  });

  it('is purged 90 days after it was written, and not before', async () => {
    const now = new Date();
    const { body: old } = await send(ada, 'old');
    const { body: young } = await send(ada, 'young');
    const backdate = (id: string, days: number) =>
      app
        .rows('chat_messages')
        .where({ id: app.ports.ids.decode('msg', id) })
        .update({ createdAt: new Date(now.getTime() - days * 86_400_000 - 1000) });
    await backdate(old.id, 90);
    await backdate(young.id, 89);
    const job = app.ports.jobs.all.find(({ name }) => name === 'chat.purge_messages')!;
    await job.run(systemContext(app.ports, 'purge'), { at: now }, runControl());
    expect(await texts(ada)).toEqual(expect.arrayContaining(['young']));
    expect(await texts(ada)).not.toContain('old');
  });
});
