import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const ME = '/api/v1/users/me';
const patch = (body: object, headers: Record<string, string> = {}) =>
  ada.request(ME, { method: 'PATCH', body, headers });

it('changes what is sent, leaves what is missing, and clears what is null', async () => {
  await patch({ fullName: 'Ada', metadata: { plan: 'trial' } });
  const { body } = await patch({ fullName: null });
  expect([body.fullName, body.metadata]).toEqual([null, { plan: 'trial' }]);
});

it('lets exactly one of 50 writers succeed who read the same version', async () => {
  const etag = (await ada.request(ME)).headers.get('etag')!;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => patch({ fullName: `Writer ${at}` }, { 'if-match': etag })),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 412)).toHaveLength(49);
  const winner = answers.find(({ status }) => status === 200)!;
  expect((await ada.request(ME)).headers.get('etag')).toBe(winner.headers.get('etag'));
});

it('accepts snake_case spellings', async () => {
  expect((await patch({ full_name: 'Ada King' })).body.fullName).toBe('Ada King');
});

it('refuses a name with a web address, in words', async () => {
  const { status, body } = await patch({ fullName: 'Prize! https://evil.example/win' });
  expect([status, body.errors]).toEqual([
    400,
    [{ path: 'fullName', message: 'must not contain a web address: leave out the ://' }],
  ]);
});

it('claims a username for a verified account only, and refuses a claimed one', async () => {
  const eve = await app.signUp();
  const take = (who: Person, username: string) => who.request(ME, { method: 'PATCH', body: { username } });
  expect((await take(eve, 'lovelace')).body.username).toBe('lovelace'); // requested, not claimed
  await app.rows('users').where({ email: ada.email }).update({ emailVerifiedAt: new Date() });
  expect((await take(ada, 'Lovelace')).status).toBe(200);
  expect((await take(ada, 'LOVELACE')).status).toBe(200);
  expect((await take(eve, 'lovelace')).body.code).toBe('username_taken');
});

it.each([['role'], ['status'], ['email'], ['id'], ['passwordHash'], ['version'], ['emailVerifiedAt']])(
  'cannot be made to change %s',
  async (field) => {
    const { status, body } = await patch({ [field]: 'SUPER_ADMIN' });
    expect([status, body.errors[0].path]).toEqual([400, field]);
  },
);

it('serves PUT, old paths and a trailing slash, and names the path to use instead', async () => {
  const put = await ada.request(ME, { method: 'PUT', body: { fullName: 'Put' } });
  const alias = await ada.request('/api/v1/auth/me');
  const slash = await ada.request(`${ME}/`);
  for (const answer of [put, alias, slash]) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
    expect(answer.headers.get('link')).toBe(`<${ME}>; rel="successor-version"`);
  }
  expect((await ada.request(ME)).headers.get('deprecation')).toBeNull();
});

it('is served as /auth/me in full', async () => {
  const allowed = async (path: string) => (await ada.request(path, { method: 'OPTIONS' })).headers.get('allow');
  expect(await allowed('/api/v1/auth/me')).toBe(await allowed(ME));
  for (const method of ['PATCH', 'PUT']) {
    const { status, headers } = await ada.request('/api/v1/auth/me', { method, body: { fullName: method } });
    expect([status, headers.get('link')]).toEqual([200, `<${ME}>; rel="successor-version"`]);
    expect((await ada.request(ME)).body.fullName).toBe(method);
  }
});

it('answers HEAD as GET without the body', async () => {
  const head = await ada.request(ME, { method: 'HEAD' });
  expect([head.status, head.body, head.headers.get('etag')]).toEqual([200, '', '"1"']);
});

it('echoes a request id that is fit for a log, and replaces any other', async () => {
  expect((await ada.request(ME, { headers: { 'x-request-id': 'trace-1.2_3' } })).headers.get('x-request-id')).toBe(
    'trace-1.2_3',
  );
  expect((await ada.request(ME, { headers: { 'x-request-id': 'a b' } })).headers.get('x-request-id')).toMatch(
    /^[\w-]{36}$/,
  );
});

it('answers 404, not 403, for an organization of which the caller is no member', async () => {
  const eve = await app.signUp();
  const answer = await ada.request(ME, { headers: { 'x-organization-id': eve.organizationId } });
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  expect((await ada.request(ME, { headers: { 'x-tenant-id': ada.organizationId } })).status).toBe(200);
});
