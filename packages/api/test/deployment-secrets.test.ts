import { assertSecrets } from '@rentapi/api/deployment-secrets';
import { createPasswords } from '@rentapi/api/slices/auth/passwords';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const [first, second, third] = ['first', 'second', 'third'].map(
  (name) => `the ${name} pepper of these tests, long enough`,
);
const start = (pepper: string, old: string[] = []) =>
  assertSecrets(
    app.rows,
    { SECRET_KEY: 'a secret key of these tests', ID_SECRET: 'an id secret of these tests', PASSWORD_PEPPER: pepper },
    { PASSWORD_PEPPER: old },
  );
const hashWith = (pepper: string) => createPasswords({ pepper, cost: 4, atOnce: 5 }).hash('a password');
const set = async (pepper: string) => app.rows('users').update({ passwordHash: await hashWith(pepper) });

it('lets a pepper be rotated, and not be lost while a password needs it (V11.2.2)', async () => {
  await app.signUp();
  await set(first!);
  await start(first!);
  await expect(start(second!)).rejects.toThrow('PASSWORD_PEPPER is not the one this database was set up with');
  await start(second!, [first!]);
  await expect(start(second!)).rejects.toThrow('PASSWORD_PEPPER_OLD lacks a pepper that 1 passwords still need');
  await set(second!);
  await start(second!);
  await start(third!, [second!]);
  await expect(start(third!, [first!])).rejects.toThrow('lacks a pepper');
});

it('knows that a hash without an id needs the first pepper', async () => {
  await app.rows('users').update({ passwordHash: (await hashWith(first!)).replace(/^[0-9a-f]+/, '') });
  await expect(start(third!, [second!])).rejects.toThrow('lacks a pepper');
  await start(third!, [second!, first!]);
});
