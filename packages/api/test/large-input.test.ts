import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Person, startApp, type TestApp } from './app.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
afterAll(() => app.close());

const KEYS = '/api/v1/api-keys';
const good = { name: 'CI', scopes: ['*'] };
const fields = (count: number, nameOf: (at: number) => string): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [nameOf(at), 0]));
const longName = (at: number): string => `${at}`.padStart(41, 'k');

/** The same input over both transports, as problems. */
async function refusals(path: string, procedure: string, body: unknown): Promise<Answer['body'][]> {
  const rest = await ada.request(path, { method: 'POST', body });
  const trpc = await ada.request(`/trpc/${procedure}`, { method: 'POST', body });
  expect([rest.status, trpc.status]).toEqual([400, 400]);
  for (const { body } of [rest, trpc]) expect(JSON.stringify(body).length).toBeLessThan(10_000);
  return [rest.body, trpc.body.error.data.problem];
}

describe('input of more fields than any schema has', () => {
  it.each([
    ['90,000 unknown fields', '/api/v1/auth/login', 'auth.login', fields(90_000, (at) => `k${at}`), ''],
    [
      '15,000 long keys of metadata',
      KEYS,
      'apiKeys.create',
      { ...good, metadata: fields(15_000, longName) },
      'metadata',
    ],
    ['200,000 scopes', KEYS, 'apiKeys.create', { ...good, scopes: Array(200_000).fill('x') }, 'scopes'],
  ])('%s is refused by the number of fields', async (_, path, procedure, body, at) => {
    for (const { code, errors } of await refusals(path, procedure, body)) {
      expect(code).toBe('invalid_input');
      expect(errors).toEqual([{ path: at, message: expect.stringMatching(/^must have at most 1000 /) }]);
    }
  });
});

describe('input with many faults', () => {
  it('is answered with 20 of them, and how many more there are', async () => {
    const inputs = [
      [
        { email: 'a@example.com', password: 'x', ...fields(900, (at) => `k${at}`) },
        '/api/v1/auth/login',
        'auth.login',
        880,
      ],
      [{ ...good, metadata: fields(900, longName) }, KEYS, 'apiKeys.create', 880],
    ] as const;
    for (const [body, path, procedure, rest] of inputs) {
      for (const { code, errors, detail } of await refusals(path, procedure, body)) {
        expect([code, errors.length]).toEqual(['invalid_input', 20]);
        expect(detail).toContain(`${rest} more`);
      }
    }
  });

  it('does not repeat a name that is as long as the body', async () => {
    const name = 'k'.repeat(500_000);
    for (const body of [
      { ...good, [name]: 1 },
      { ...good, metadata: { [name]: 1 } },
      { ...good, [`${name}\0`]: 1 },
    ]) {
      for (const { errors } of await refusals(KEYS, 'apiKeys.create', body)) expect(errors.length).toBeLessThan(3);
    }
    const { status, body } = await ada.request(`${KEYS}?${'k'.repeat(10_000)}=1`);
    expect([status, body.code]).toEqual([400, 'invalid_input']);
    expect(JSON.stringify(body).length).toBeLessThan(1000);
  });
});

it('mentions no further faults where all are listed', async () => {
  const { body } = await ada.request(KEYS, { method: 'POST', body: { name: '', scopes: ['nothing'], x: 1 } });
  expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['name', 'scopes.0', 'x']);
  expect(body.detail).toBe('Correct the fields listed in `errors` and send the request again.');
});
