import { randomBytes, randomUUID } from 'node:crypto';
import type { TestApp } from './app.ts';

/** A passkey, an app and a provider, as a stranger would add them to an account. */
export async function giveWaysIn(app: TestApp, publicId: string, provider = 'github'): Promise<void> {
  const createdAt = app.ports.clock.now();
  const common = { userId: app.ports.ids.decode('usr', publicId), createdAt };
  await app.rows('passkeys').insert({
    ...common,
    credentialId: randomBytes(16),
    publicKey: randomBytes(16),
    counter: 0,
    transports: [],
    name: 'a stranger’s',
  });
  await app.rows('totp_factors').insert({ ...common, secretSealed: randomBytes(32), confirmedAt: createdAt });
  await app.rows('backup_codes').insert({ ...common, codeHash: randomBytes(32) });
  await app.rows('user_identities').insert({
    ...common,
    provider,
    issuer: 'https://github.com',
    subject: randomUUID(),
    email: 'stranger@example.com',
  });
  await app.rows('users').where({ id: common.userId }).update({ twoFactorEnabledAt: createdAt });
}

/** What opens an account besides its password. */
export async function waysIn(app: TestApp, publicId: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of ['passkeys', 'totp_factors', 'backup_codes', 'user_identities'])
    for (const { provider } of await app.rows(table).where({ userId: app.ports.ids.decode('usr', publicId) }))
      found.push(provider ? `${table} ${provider}` : table);
  return found;
}
