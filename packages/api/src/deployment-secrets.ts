import type { Knex } from '@rentapi/platform/database';
import { createKeyring, deriveKey, sameBytes } from '@rentapi/platform/secrets';
import { countLost } from './sealed-columns.ts';
import { pepperId } from './slices/auth/passwords.ts';

type Secrets = Record<'SECRET_KEY' | 'ID_SECRET' | 'PASSWORD_PEPPER', string>;
type Retired = Partial<Record<'SECRET_KEY' | 'PASSWORD_PEPPER', readonly string[]>>;

/** Where the check value of the first pepper is kept once there is a second. */
const FIRST_PEPPER = 'PASSWORD_PEPPER_FIRST';

/**
 * With another ID_SECRET, public ids would name other rows; with another SECRET_KEY, every session would be refused. So
 * the first start stores a check value of each secret, and a later start with different secrets is refused, unless the
 * stored one is among the retired.
 */
export async function assertSecrets(database: Knex, secrets: Secrets, retired: Retired): Promise<void> {
  for (const [name, secret] of Object.entries(secrets)) {
    const checkValue = checkOf(name, secret);
    const inserted = await database('deployment_secrets')
      .insert({ name, checkValue })
      .onConflict('name')
      .ignore()
      .returning('name');
    if (inserted.length > 0) continue;
    const stored: Buffer = (await database('deployment_secrets').where({ name }).first('checkValue')).checkValue;
    if (sameBytes(stored, checkValue)) continue;
    const old = retired[name as keyof Retired] ?? [];
    if (!old.some((each) => sameBytes(stored, checkOf(name, each)))) throw new SecretMismatchError(name);
    if (name === 'PASSWORD_PEPPER')
      await database('deployment_secrets')
        .insert({ name: FIRST_PEPPER, checkValue: stored })
        .onConflict('name')
        .ignore();
    await database('deployment_secrets').where({ name }).update({ checkValue });
  }
  const lost = await countLost(database, createKeyring(secrets.SECRET_KEY, retired.SECRET_KEY));
  if (lost > 0) throw new SecretNeededError(lost);
  await assertPeppers(database, [secrets.PASSWORD_PEPPER, ...(retired.PASSWORD_PEPPER ?? [])]);
}

/** A pepper that a password still needs must not be lost: its owner could not log in any longer. */
async function assertPeppers(database: Knex, peppers: readonly string[]): Promise<void> {
  const first = await database('deployment_secrets').where({ name: FIRST_PEPPER }).first('checkValue');
  if (!first) return; // there was never another
  const isFirstKnown = sameBytes(first.checkValue, checkOf('PASSWORD_PEPPER', peppers.at(-1)!));
  const known = [...peppers.map(pepperId), ...(isFirstKnown ? [''] : [])];
  const [lost] = await database('users')
    .whereNotNull('passwordHash')
    .whereRaw("not (split_part(password_hash, '$', 1) = any(?))", [known])
    .count();
  const passwords = Number(lost!['count']);
  if (passwords > 0) throw new PepperNeededError(passwords);
}

const checkOf = (name: string, secret: string): Buffer => deriveKey(secret, `rentapi/check/${name}`);

const ROTATION: Record<string, string> = { SECRET_KEY: 'SECRET_KEYS_OLD', PASSWORD_PEPPER: 'PASSWORD_PEPPER_OLD' };

export class SecretMismatchError extends Error {
  override name = 'SecretMismatchError';

  constructor(secret: string) {
    super(
      `${secret} is not the one this database was set up with: start with that one` +
        (ROTATION[secret] ? `, or name it in ${ROTATION[secret]}.` : '; it can never be changed for a deployment.'),
    );
  }
}

export class SecretNeededError extends Error {
  override name = 'SecretNeededError';

  constructor(values: number) {
    super(
      `SECRET_KEYS_OLD lacks a secret that ${values} stored values are sealed under: name it, then seal them anew with \`rentapi secrets reseal\`.`,
    );
  }
}

export class PepperNeededError extends Error {
  override name = 'PepperNeededError';

  constructor(passwords: number) {
    super(
      `PASSWORD_PEPPER_OLD lacks a pepper that ${passwords} passwords still need: name it, the oldest last, until their owners have logged in or reset them.`,
    );
  }
}
