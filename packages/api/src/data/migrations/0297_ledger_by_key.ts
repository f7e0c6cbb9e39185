import type { Knex } from '@rentapi/platform/database';

/**
 * Entries of the ledger are found by their key alone. With a condition on the organization, another index of it can
 * look as cheap as that of keys, where most organizations have few entries; all entries of one with many are then read.
 * With `+ 0`, no index serves that condition.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    drop index credit_ledger_once;
    create unique index credit_ledger_once on credit_ledger (key, organization_id, kind, grant_id);
    ${rewrite([
      ['where organization_id = org and key =', 'where organization_id + 0 = org and key ='],
      ['where entry.organization_id = org and entry.key =', 'where entry.organization_id + 0 = org and entry.key ='],
    ])}
    alter function credit_take set enable_seqscan = off; -- for many keys at once, all of a small table looks cheaper
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index credit_ledger_once;
    create unique index credit_ledger_once on credit_ledger (organization_id, key, kind, grant_id);
    ${rewrite([['organization_id + 0 = org', 'organization_id = org']])}
    alter function credit_take reset enable_seqscan;
  `);
}

/** The functions that look for a key, with these parts of their text replaced. */
function rewrite(parts: readonly [from: string, to: string][]): string {
  const text = parts.reduce((whole, [from, to]) => `replace(${whole}, $part$${from}$part$, $part$${to}$part$)`, 'text');
  return `
    do $do$
    declare
      text text;
    begin
      foreach text in array array(
        select pg_get_functiondef(name::regproc) from unnest(array['credit_spend', 'credit_take', 'credit_settle', 'credit_refund']) name)
      loop
        execute ${text};
      end loop;
    end $do$;`;
}
