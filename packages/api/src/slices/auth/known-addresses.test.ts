import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';

/**
 * The time of an answer is that of its statements and hashes: those are compared, because a test of the time would fail
 * on a busy machine. `pnpm bench auth` measures it.
 */
let app: TestApp;
let acme: TestOrganization;
let unverified: Person;
let verified: Person;

beforeAll(async () => {
  app = await startApp({ REQUIRE_EMAIL_VERIFICATION: 'false' });
  acme = await makeOrganization(app);
  [unverified, verified] = [await app.signUp(), await app.signUp()];
  await app.rows('users').where({ email: verified.email }).update({ emailVerifiedAt: new Date() });
  await app.work.stop(); // from here on, only requests use the database
  app.ports.env.REQUIRE_EMAIL_VERIFICATION = true;
});
afterAll(() => app.close());

const PASSWORD = 'another fine password';
const unknown = () => `${randomUUID()}@example.com`;

/** The answer, and the statements and hashes that it took, without their values. */
async function observe(path: string, body: object, headers: Record<string, string> = {}) {
  const hash = vi.spyOn(app.ports.passwords, 'hash');
  const compare = vi.spyOn(app.ports.passwords, 'compare');
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const { status, body: answer, headers: sent } = await app.request(path, { method: 'POST', body, headers });
  const statements = query.mock.calls
    .map(([statement]) => shapeOf(statement as string | { text: string }))
    .filter((statement) => !IN_BACKGROUND.test(statement));
  const work = { statements, hashes: hash.mock.calls.length, comparisons: compare.mock.calls.length };
  for (const spy of [hash, compare, query]) spy.mockRestore();
  const { email, requestId, ...rest } = answer || {};
  return { status, body: rest, headers: [...sent.keys()], work };
}

/** Of caches, the usage log and what is left of the work, in a rhythm of their own: no request waits for them. */
const IN_BACKGROUND =
  /^notify echo_|\binsert into usage_calls\b|\bcreate_day_partition\b|\bagenda_jobs\b|\bupdate events set position\b/;

/** A savepoint that is released costs what one that is undone does. */
const shapeOf = (statement: string | { text: string }): string =>
  (typeof statement === 'string' ? statement : statement.text)
    .replace(/\btrx\d+\b/g, 'point')
    .replace(/^(release|rollback to) (.*?);?$/i, 'end of $2');

describe.each<[string, (email: string) => [path: string, body: object]]>([
  ['registration', (email) => ['/api/v1/auth/register', { email, password: PASSWORD, fullName: 'Ada' }]],
  ['login', (email) => ['/api/v1/auth/login', { email, password: 'not the one' }]],
  ['a reset', (email) => ['/api/v1/auth/password-reset/request', { email }]],
  ['the link again', (email) => ['/api/v1/auth/resend-verification', { email }]],
])('%s', (_, call) => {
  it('answers alike, and does the same, for addresses with and without an account', async () => {
    await observe(...call(unknown())); // fills caches, such as the one of types
    const expected = await observe(...call(unknown()));
    expect(expected.work.statements.length).toBeGreaterThan(0);
    for (const { email } of [unverified, verified]) expect(await observe(...call(email))).toEqual(expected);
    expect(await observe(...call(unknown()))).toEqual(expected);
  });
});

describe('a lockout', () => {
  it('answers alike, and does the same, at every attempt', async () => {
    const attempts = async (email: string) => {
      const seen = [];
      for (let attempt = 0; attempt < 7; attempt++)
        seen.push(await observe('/api/v1/auth/login', { email, password: 'not the one' }));
      return seen;
    };
    await observe('/api/v1/auth/login', { email: unknown(), password: 'not the one' });
    const { email } = await signUpQuietly();
    expect(await attempts(email)).toEqual(await attempts(unknown()));
  });

  async function signUpQuietly(): Promise<{ email: string }> {
    const email = unknown();
    await app.request('/api/v1/auth/register', { method: 'POST', body: { email, password: PASSWORD } });
    return { email };
  }
});

describe('an invitation', () => {
  it('answers alike, and does the same, for addresses with and without an account', async () => {
    const invite = async (email: string) => {
      const { authorization } = { authorization: `Bearer ${acme.owner.tokens.accessToken}` };
      const answer = await observe(`${acme.path}/invitations`, { email, role: 'MEMBER' }, { authorization });
      const { id, createdAt, expiresAt, updatedAt, ...body } = answer.body;
      return { ...answer, body };
    };
    await invite(unknown());
    const expected = await invite(unknown());
    expect(expected.status).toBe(201);
    for (const { email } of [unverified, verified]) expect(await invite(email)).toEqual(expected);
  });
});
