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
      ['exists (select from credit_ledger where organization_id = org and key = any (ks) and kind = entry_kind)', ANY],
      ['where organization_id = org and key =', 'where organization_id + 0 = org and key ='],
      ['where entry.organization_id = org and entry.key =', 'where entry.organization_id + 0 = org and entry.key ='],
    ])}
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index credit_ledger_once;
    create unique index credit_ledger_once on credit_ledger (organization_id, key, kind, grant_id);
    ${rewrite([
      [ANY, 'exists (select from credit_ledger where organization_id = org and key = any (ks) and kind = entry_kind)'],
      ['organization_id + 0 = org', 'organization_id = org'],
    ])}
  `);
}

/** One key after the other: for many at once, to read the whole table can look cheaper. */
const ANY = `exists (
        select from unnest(ks) given cross join lateral (
          select from credit_ledger where organization_id + 0 = org and key = given and kind = entry_kind limit 1) found)`;

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
