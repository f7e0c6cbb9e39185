import { assertSecrets } from '@rentapi/api/deployment-secrets';
import { resealSecrets, SEALED_COLUMNS } from '@rentapi/api/sealed-columns';
import { createPasswords } from '@rentapi/api/slices/auth/passwords';
import { createKeyring, createSecretBox } from '@rentapi/platform/secrets';
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

const [oldKey, newKey] = ['the old secret key of these tests 0123', 'the new secret key of these tests 0123'];
const startWith = (key: string, old: string[]) =>
  assertSecrets(
    app.rows,
    { SECRET_KEY: key, ID_SECRET: 'an id secret of these tests', PASSWORD_PEPPER: third! },
    { SECRET_KEY: old, PASSWORD_PEPPER: [second!, first!] },
  );

it('lets no secret be lost that a stored value needs, and reseals such values (V11.2.2)', async () => {
  await app.rows('deployment_secrets').where({ name: 'SECRET_KEY' }).delete();
  await startWith(oldKey!, []);
  const userIds: number[] = [];
  for (let person = 0; person < 3; person++) userIds.push(app.ports.ids.decode('usr', (await app.signUp()).id));
  await app.rows('users').update({ passwordHash: null }); // they need the pepper of the app
  const boxOf = (...keys: [string, ...string[]]) =>
    createSecretBox(createKeyring(keys[0], keys.slice(1)), 'rentapi/totp');
  const sealed = (userId: number) => boxOf(oldKey!).seal(`seed of ${userId}`, `totp ${userId}`);
  await app
    .rows('totp_factors')
    .insert(userIds.map((userId) => ({ userId, secretSealed: sealed(userId), lastStep: 0, createdAt: new Date() })));

  await startWith(newKey!, [oldKey!]);
  await expect(startWith(newKey!, [])).rejects.toThrow(
    'SECRET_KEYS_OLD lacks a secret that 3 stored values are sealed under',
  );
  expect(await resealSecrets(app.rows, createKeyring(newKey!))).toEqual({ resealed: 0, lost: 3 });
  expect(await resealSecrets(app.rows, createKeyring(newKey!, [oldKey!]))).toEqual({ resealed: 3, lost: 0 });
  expect(await resealSecrets(app.rows, createKeyring(newKey!, [oldKey!]))).toEqual({ resealed: 0, lost: 0 });
  await startWith(newKey!, []);
  for (const { userId, secretSealed } of await app.rows('totp_factors'))
    expect(boxOf(newKey!).open(secretSealed, `totp ${userId}`)).toBe(`seed of ${userId}`);
});

it('knows every sealed column', async () => {
  const { rows } = await app.rows.raw<{ rows: { name: string }[] }>(
    `select table_name || '.' || column_name as name from information_schema.columns
     where table_schema = 'public' and column_name ~ 'sealed' order by 1`,
  );
  const underTheirOwnKey = ['refresh_tokens.child_sealed']; // made from the token before
  const known = [...SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`), ...underTheirOwnKey];
  expect(rows.map(({ name }) => name)).toEqual(known.toSorted());
});
