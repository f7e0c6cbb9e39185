import type { Knex, Statement } from '@rentapi/platform/database';
import { emailKey } from '@rentapi/platform/mail-address';
import { executeSoon } from './transaction.ts';

export const LOCK_NAME: Statement = {
  name: 'lock_name',
  text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
};

/**
 * Until the caller's transaction ends, others who lock the same name wait: for what has no row to lock yet, or none of
 * its own. A name begins with what it is about.
 */
export async function lockName(db: Knex, name: string): Promise<void> {
  await executeSoon(db, LOCK_NAME, [name]);
}

/** Of those who claim one address at once, each waits and finds what the one before has made. */
export async function lockMailbox(db: Knex, email: string): Promise<void> {
  await lockName(db, emailKey(email));
}
