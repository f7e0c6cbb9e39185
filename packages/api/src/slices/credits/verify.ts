import type { Knex } from '@rentapi/platform/database';

/** What does not add up in the books, by kind, and how often: empty when all is well. It reads the whole ledger. */
export async function findBillingFaults(database: Knex): Promise<Map<string, number>> {
  const { rows } = await database.raw<{ rows: Record<string, number>[] }>(
    '/* across organizations */ select * from credit_faults',
  );
  const counts = Object.entries(rows[0] ?? {}).map(([kind, count]) => [`credit ${kind}`, Number(count)] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}
