import { DISPATCH } from '@rentapi/api/jobs/dispatcher';
import { createDatabase, execute, type Knex } from '@rentapi/platform/database';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const ROWS = 10_000;
const IDLE_ROUNDS = 30;
const ROUNDS = 11;

/** How fast work leaves the outbox, by a connection that has found it empty for a while. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const idle = connect(stage);
    await stage.database.query('truncate outbox, agenda_jobs');
    await stage.database.query('vacuum analyze outbox'); // as autovacuum does: Postgres then knows that it is empty
    for (let idling = 0; idling < IDLE_ROUNDS; idling++) await execute(idle, DISPATCH, []);
    await stage.database.query(FILL, [ROWS]);
    rates.push(await drain(idle));
    await idle.destroy();
  }
  await stage.database.query('truncate outbox, agenda_jobs');
  const promise = `Outbox of ${ROWS} rows after ${IDLE_ROUNDS} rounds on an empty one`;
  return [{ promise, measured: spreadOf(rates), atLeast: 10_000, unit: 'rows a second' }];
}

const connect = ({ databaseUrl }: Stage): Knex =>
  createDatabase({
    url: databaseUrl,
    poolMin: 1,
    poolMax: 1,
    acquireTimeoutMs: 10_000,
    statementTimeoutMs: 30_000,
    applicationName: 'rentapi bench',
  });

async function drain(database: Knex): Promise<number> {
  const began = performance.now();
  for (let moved = 0; moved < ROWS; ) {
    const [batch] = await execute<{ moved: number }>(database, DISPATCH, []);
    if (!batch?.moved) throw new Error(`${ROWS - moved} rows stay in the outbox`);
    moved += batch.moved;
  }
  return (ROWS / (performance.now() - began)) * 1000;
}

const FILL = `
  insert into outbox (job, data, available_at)
  select 'bench', jsonb_build_object('n', n), now() from generate_series(1, $1) n`;
