import type { Knex } from '@rentapi/platform/database';
import { emailKey } from '@rentapi/platform/mail-address';

const BATCH = 500;

interface Account {
  id: number;
  email: string;
  emailKey: string;
}

/**
 * Keys of mailboxes that earlier releases computed from the Unicode form of the domain, where lower-casing gives `Σ` at
 * the end another letter than in the middle. An account with such a key is not found by its own address.
 */
export async function up(db: Knex): Promise<void> {
  await inBatches(db, 'users', async (account) => moveAccount(db, account));
  await inBatches(db, 'organization_invitations', async (invitation) => moveInvitation(db, invitation));
}

/** The release before reads keys of both kinds. */
export async function down(): Promise<void> {}

/** The rows whose key is not that of their address. Only an address with other than ASCII characters has several. */
async function inBatches(db: Knex, table: string, move: (row: Account) => Promise<void>): Promise<void> {
  for (let last = 0; ; ) {
    const rows: Account[] = await db(table)
      .select('id', 'email', 'emailKey')
      .whereRaw("id > ? and (email ~ '[^[:ascii:]]' or email_key ~ '[^[:ascii:]]')", [last])
      .orderBy('id')
      .limit(BATCH);
    for (const row of rows) if (emailKey(row.email) !== row.emailKey) await move(row);
    if (rows.length < BATCH) return;
    last = rows.at(-1)!.id;
  }
}

/**
 * Two accounts of one mailbox: the key goes to the one that is verified, else active, else older. The other keeps the
 * old key, by which no address finds it, and all its data.
 */
async function moveAccount(db: Knex, { id, email, emailKey: old }: Account): Promise<void> {
  const key = emailKey(email);
  const [winner]: { id: number }[] = await db('users')
    .select('id')
    .where({ id })
    .orWhere({ emailKey: key })
    .orderByRaw("email_verified_at is null, status <> 'ACTIVE', id")
    .limit(1);
  if (winner?.id !== id) return;
  // In three steps, because a key is unique at any time.
  await db('users')
    .where({ id })
    .update({ emailKey: `moving ${id}` });
  await db('users').where({ emailKey: key }).update({ emailKey: old });
  await db('users').where({ id }).update({ emailKey: key });
}

/** Of two pending invitations of one mailbox to an organization the older one stays. */
async function moveInvitation(db: Knex, { id, email }: Account): Promise<void> {
  const key = emailKey(email);
  await db.raw(
    `update organization_invitations set status = 'REVOKED'
     where id = :id and status = 'PENDING' and exists (
       select from organization_invitations other
       where other.organization_id = organization_invitations.organization_id and other.email_key = :key
         and other.status = 'PENDING')`,
    { id, key },
  );
  await db('organization_invitations').where({ id }).update({ emailKey: key });
}
