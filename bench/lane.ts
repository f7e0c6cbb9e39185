import { SESSION_ACTOR } from '@rentapi/api/slices/auth/service/authenticate';
import { createDatabase, execute, hasLane } from '@rentapi/platform/database';
import pg from 'pg';
import { createAccounts } from './accounts.ts';
import { atOnce, printSamples, takeTurns, type Work, workRatio } from './in-process.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const SENDERS = 16;
const TURNS = { timesPerTurn: 800, turns: 8, rounds: 11 };
const { name = '', text } = SESSION_ACTOR;

/**
 * What one prepared read of one row costs this process: over pools, over pg's documented pipeline, and over the lane,
 * which also uses what pg does not document. If that saves little, it is not worth its risk.
 */
export async function run(stage: Stage): Promise<Verdict[]> {
  const { databaseUrl } = stage;
  await createAccounts(stage, 1, 1);
  const { rows } = await stage.database.query<{ sid: string; userId: string }>(
    'select public_id as sid, user_id as "userId" from sessions limit 1',
  );
  const values = [rows[0]!.sid, Number(rows[0]!.userId), null, null];
  const database = createDatabase({
    url: databaseUrl,
    poolMin: 0,
    poolMax: SENDERS,
    acquireTimeoutMs: 5000,
    statementTimeoutMs: 30_000,
    applicationName: 'rentapi bench',
  });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: SENDERS });
  const pipeline = new pg.Client({ connectionString: databaseUrl, pipeline: true });
  await pipeline.connect();
  while (!hasLane(database)) await execute(database, SESSION_ACTOR, values);

  const work = (title: string, once: () => Promise<unknown>): Work => ({
    name: title,
    run: (times) => atOnce(SENDERS, times, once),
  });
  const overKnex = work('knex', () => execute(database, { name, text }, values));
  const overPool = work('pg.Pool', () => pool.query({ name, text, values }));
  const overPipeline = work("pg's pipeline", () => pipeline.query({ name, text, values }));
  const overLane = work('the lane', () => execute(database, SESSION_ACTOR, values));
  try {
    const samples = await takeTurns([overPool, overKnex, overPipeline, overLane], TURNS);
    printSamples(`A prepared read of one row, ${SENDERS} at once`, samples);
    const verdict = (by: Work, atMost: number): Verdict => ({
      promise: 'A short read over the lane, CPU',
      measured: workRatio(samples, overLane, by),
      atMost,
      unit: `× ${by.name}`,
    });
    return [verdict(overPool, 0.7), verdict(overPipeline, 0.8)];
  } finally {
    await database.destroy();
    await pool.end();
    await pipeline.end();
  }
}
