import type { ServingRole } from '@rentapi/platform/database/serving-role';

/** What the role that serves may do on a table, where that is less than read, insert, update and delete. */
export const RESTRICTED_TABLES: ServingRole['restricted'] = {
  // Written once. Functions of the owner number the entries, link them and erase their personal part.
  audit_logs: ['SELECT', 'INSERT'],
  audit_chains: ['SELECT'],
  // Only functions of the owner move credits.
  credit_balances: ['SELECT'],
  credit_grants: ['SELECT'],
  credit_holds: ['SELECT'],
  credit_ledger: ['SELECT'],
  // Entries are posted by a function of the owner, and stay.
  journal_entries: ['SELECT'],
  journal_lines: ['SELECT'],
  // Functions of the owner make and drop partitions of the tables that are listed here.
  day_partitioned_tables: ['SELECT'],
  knex_migrations: ['SELECT'],
  knex_migrations_lock: ['SELECT'],
  // Operators decide what is sold, as the owner of the database.
  plans: ['SELECT'],
  prices: ['SELECT'],
};
