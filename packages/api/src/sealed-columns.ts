import type { Knex } from '@rentapi/platform/database';
import { createSecretBox, KEY_ID_BYTES, type Keyring } from '@rentapi/platform/secrets';

/** A column whose values are sealed under SECRET_KEY and must be readable for years. */
interface SealedColumn {
  table: string;
  column: string;
  purpose: string;
  /** What was authenticated with the value. */
  contextOf(row: { userId: number }): string;
}

/** A test compares them with the database. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'totp_factors',
    column: 'secret_sealed',
    purpose: 'rentapi/totp',
    contextOf: ({ userId }) => `totp ${userId}`,
  },
];

const BATCH = 500;

export interface Resealed {
  resealed: number;
  /** Values whose secret is gone. */
  lost: number;
}

/** Seals every value under the current secret, so that the old ones can be removed. It may be repeated at any time. */
export async function resealSecrets(database: Knex, keyring: Keyring): Promise<Resealed> {
  const total: Resealed = { resealed: 0, lost: 0 };
  for (const { table, column, purpose, contextOf } of SEALED_COLUMNS) {
    const box = createSecretBox(keyring, purpose);
    for (let after = 0, rows = [{ id: 0 }] as SealedRow[]; rows.length > 0; after = rows.at(-1)?.id ?? after) {
      rows = await database(table)
        .where('id', '>', after)
        .whereRaw(`substring(?? from 1 for ${KEY_ID_BYTES}) <> ?`, [column, box.keyIds[0]!])
        .orderBy('id')
        .limit(BATCH)
        .select('id', 'userId', { sealed: column });
      for (const { id, sealed, userId } of rows) {
        const opened = box.open(sealed, contextOf({ userId }));
        if (opened === null) total.lost++;
        // Where the value was replaced meanwhile, the new one is sealed under the current secret already.
        else
          total.resealed += await database(table)
            .where({ id, [column]: sealed })
            .update({ [column]: box.seal(opened, contextOf({ userId })) });
      }
    }
  }
  return total;
}

interface SealedRow {
  id: number;
  userId: number;
  sealed: Buffer;
}

/** How many values none of these secrets opens. */
export async function countLost(database: Knex, keyring: Keyring): Promise<number> {
  let lost = 0;
  for (const { table, column, purpose } of SEALED_COLUMNS) {
    const { keyIds } = createSecretBox(keyring, purpose);
    const [row] = await database(table)
      .whereRaw(`not (substring(?? from 1 for ${KEY_ID_BYTES}) = any(?))`, [column, [...keyIds]])
      .count();
    lost += Number(row!['count']);
  }
  return lost;
}
