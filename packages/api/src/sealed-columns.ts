import type { Knex } from '@rentapi/platform/database';
import { createSecretBox, KEY_ID_BYTES, type Keyring } from '@rentapi/platform/secrets';
import { ACROSS_ORGANIZATIONS } from './data/tenant-model.ts';
import { webhookContext } from './slices/webhooks/secrets.ts';

/** A column whose values are sealed under SECRET_KEY and must be readable for years. */
interface SealedColumn {
  table: string;
  column: string;
  purpose: string;
  /** The column that says whose value it is. */
  owner: 'userId' | 'organizationId';
  /** What was authenticated with the value. */
  contextOf(owner: number): string;
}

const ofWebhooks = {
  table: 'webhooks',
  purpose: 'rentapi/webhook',
  owner: 'organizationId',
  contextOf: webhookContext,
} as const;

/** A test compares them with the database. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'totp_factors',
    column: 'secret_sealed',
    purpose: 'rentapi/totp',
    owner: 'userId',
    contextOf: (userId) => `totp ${userId}`,
  },
  { ...ofWebhooks, column: 'headers_sealed' },
  { ...ofWebhooks, column: 'secret_sealed' },
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
  for (const { table, column, purpose, owner, contextOf } of SEALED_COLUMNS) {
    const box = createSecretBox(keyring, purpose);
    for (let after = 0, rows = [{ id: 0 }] as SealedRow[]; rows.length > 0; after = rows.at(-1)?.id ?? after) {
      rows = await database(table)
        .comment(ACROSS_ORGANIZATIONS)
        .where('id', '>', after)
        .whereRaw(`substring(?? from 1 for ${KEY_ID_BYTES}) <> ?`, [column, box.keyIds[0]!])
        .orderBy('id')
        .limit(BATCH)
        .select('id', { sealed: column, ownerId: owner });
      for (const { id, sealed, ownerId } of rows) {
        const opened = box.open(sealed, contextOf(ownerId));
        if (opened === null) total.lost++;
        // Where the value was replaced meanwhile, the new one is sealed under the current secret already.
        else
          total.resealed += await database(table)
            .comment(ACROSS_ORGANIZATIONS)
            .where({ id, [column]: sealed })
            .update({ [column]: box.seal(opened, contextOf(ownerId)) });
      }
    }
  }
  return total;
}

interface SealedRow {
  id: number;
  ownerId: number;
  sealed: Buffer;
}

/** How many values none of these secrets opens. */
export async function countLost(database: Knex, keyring: Keyring): Promise<number> {
  let lost = 0;
  for (const { table, column, purpose } of SEALED_COLUMNS) {
    const { keyIds } = createSecretBox(keyring, purpose);
    const [row] = await database(table)
      .comment(ACROSS_ORGANIZATIONS)
      .whereRaw(`not (substring(?? from 1 for ${KEY_ID_BYTES}) = any(?))`, [column, [...keyIds]])
      .count();
    lost += Number(row!['count']);
  }
  return lost;
}
