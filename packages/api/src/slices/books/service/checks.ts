import type { Statement } from '@rentapi/platform/database';

/** Finds what does not add up in the books of the organizations $1: rows of kind, organization and count. */
interface Check extends Statement {
  /** Whether it takes the time as $2: something may take a while, and is a fault afterwards. */
  isTimed?: true;
}

const CREDITS: Check = {
  text: `
    /* across organizations */
    select fault.kind, organization_id as "organizationId", fault.count
    from unnest($1::bigint[]) organization_id
    cross join lateral credit_faults(array[organization_id]) found
    cross join lateral (values ('CREDIT_BALANCE', found.balances), ('CREDIT_CHAIN', found.chain),
      ('CREDIT_GRANT', found.grants), ('CREDIT_HOLD', found.holds), ('CREDIT_DEBT', found.debts)) fault (kind, count)
    where fault.count > 0`,
};

/** The database refuses these at the commit: they are found where its triggers were off, as in a restore. */
const JOURNAL: Check = {
  text: `
    /* across organizations */
    select 'JOURNAL_BALANCE' as kind, organization_id as "organizationId", count(*) from (
      select organization_id, entry_id from journal_lines where organization_id = any ($1)
      group by organization_id, entry_id, currency having sum(amount_minor) <> 0
    ) unbalanced group by organization_id
    union all
    select 'JOURNAL_LINES', organization_id, count(*) from journal_entries entry
    where organization_id = any ($1) and not exists (
      select from journal_lines line where line.organization_id = entry.organization_id and line.entry_id = entry.id)
    group by organization_id`,
};

export const CHECKS: readonly Check[] = [CREDITS, JOURNAL];
