import type { Knex } from '@rentapi/platform/database';
import { deriveKey, sameBytes } from '@rentapi/platform/secrets';

/**
 * With another ID_SECRET, public ids would name other rows; with another SECRET_KEY, every session would be refused. So
 * the first start stores a check value of each secret, and a later start with different secrets is refused.
 */
export async function assertSecrets(
  database: Knex,
  secrets: Record<string, string>,
  retired: readonly string[],
): Promise<void> {
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
    const rotated = name === 'SECRET_KEY' && retired.some((old) => sameBytes(stored, checkOf(name, old)));
    if (!rotated) throw new SecretMismatchError(name);
    await database('deployment_secrets').where({ name }).update({ checkValue });
  }
}

const checkOf = (name: string, secret: string): Buffer => deriveKey(secret, `rentapi/check/${name}`);

export class SecretMismatchError extends Error {
  override name = 'SecretMismatchError';

  constructor(secret: string) {
    super(
      `${secret} is not the one this database was set up with: start with that one` +
        (secret === 'SECRET_KEY' ? ', or name it in SECRET_KEYS_OLD.' : '; it can never be changed for a deployment.'),
    );
  }
}
