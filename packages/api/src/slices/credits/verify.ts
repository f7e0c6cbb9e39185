import { execute, type Knex, type Statement } from '@rentapi/platform/database';

/** So many organizations in one statement, so that none takes longer than a statement may. */
const BATCH = 500;

const NEXT: Statement = {
  text: `
    /* across organizations */
    select array_agg(organization_id order by organization_id) as organizations from (
      select organization_id from credit_balances where organization_id > $1 order by 1 limit ${BATCH}
    ) next`,
};
const FAULTS: Statement = { text: '/* across organizations */ select * from credit_faults($1)' };

/** What does not add up in the books, by kind, and how often: empty when all is well. It reads the whole ledger. */
export async function findBillingFaults(database: Knex): Promise<Map<string, number>> {
  const faults = new Map<string, number>();
  for (let after = 0; ; ) {
    const [next] = await execute<{ organizations: string[] | null }>(database, NEXT, [after]);
    if (!next?.organizations) return faults;
    const [counts] = await execute<Record<string, number>>(database, FAULTS, [next.organizations]);
    for (const [kind, count] of Object.entries(counts ?? {}))
      if (count > 0) faults.set(`credit ${kind}`, (faults.get(`credit ${kind}`) ?? 0) + count);
    after = Number(next.organizations.at(-1));
  }
}
