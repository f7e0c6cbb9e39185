import { randomUUID } from 'node:crypto';
import { type Context, systemContext, within } from '@rentapi/api/context';
import { spendCredits } from '@rentapi/api/pipeline/credits';
import { closePorts } from '@rentapi/api/ports';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { execute, type Statement } from '@rentapi/platform/database';
import { printSamples, speedRatio, takeTurns, type Work } from './in-process.ts';
import { openStagePorts } from './ports.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const ACCOUNTS = 1000;
const AT_ONCE = 50;
const TURNS = 4;
const ROUNDS = 9;
/** Far more than the bench spends. */
const CREDITS = 1_000_000_000;

const BY_HAND: Statement = {
  name: 'spend_by_hand',
  text: 'update balances_by_hand set balance = balance - $2 where organization_id = $1 and balance >= $2 returning balance',
};

/** Spending credits, each once for its key and with an entry of the ledger, beside a bare update of a balance. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const ports = openStagePorts(stage);
  try {
    await stage.database.query(
      `create table balances_by_hand as select n as organization_id, ${CREDITS}::bigint as balance from generate_series(1, ${ACCOUNTS}) n;
       alter table balances_by_hand add primary key (organization_id);
       select credit_grant(n, 'PAYMENT', 'bench', ${CREDITS}, 0, 'infinity', now()) from generate_series(1, ${ACCOUNTS}) n`,
    );
    const ctx = systemContext(ports, 'bench');
    const verdicts = [
      await measure(ctx, { accounts: ACCOUNTS, atLeast: 0.4 }),
      await measure(ctx, { accounts: 1, atLeast: 2 }),
    ];
    const faults = await findBillingFaults(ports.database, ports.clock.now());
    if (faults.length > 0) throw new Error(`the books do not balance: ${JSON.stringify(faults)}`);
    return verdicts;
  } finally {
    await closePorts(ports);
    await stage.database.query('drop table if exists balances_by_hand');
  }
}

async function measure(ctx: Context, { accounts, atLeast }: { accounts: number; atLeast: number }): Promise<Verdict> {
  let next = 0;
  const account = () => (next++ % accounts) + 1;
  const ours: Work = {
    name: 'credits',
    run: (times) => atOnce(times, async () => void (await spendCredits(within(ctx, account()), randomUUID(), 1))),
  };
  const byHand: Work = {
    name: 'a balance by hand',
    run: (times) => atOnce(times, async () => void (await execute(ctx.db, BY_HAND, [account(), 1]))),
  };
  const samples = await takeTurns([byHand, ours], { timesPerTurn: 500, turns: TURNS, rounds: ROUNDS });
  const of = accounts === 1 ? 'one account' : `${accounts} accounts`;
  printSamples(`Spending credits of ${of}, ${AT_ONCE} at once`, samples);
  const measured = speedRatio(samples, ours, byHand);
  return { promise: `Spending credits of ${of}`, measured, atLeast, unit: '× the updates/s of a balance by hand' };
}

async function atOnce(times: number, once: () => Promise<void>): Promise<void> {
  let left = times;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await once();
    }),
  );
}
