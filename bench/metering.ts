import { randomUUID } from 'node:crypto';
import { type OrganizationContext, systemContext } from '@rentapi/api/context';
import { NO_TERMS } from '@rentapi/api/contract/plans';
import { closePorts } from '@rentapi/api/ports';
import { ingestUsage } from '@rentapi/api/slices/metering/service/ingest';
import { execute } from '@rentapi/platform/database';
import { printSamples, speedRatio, takeTurns, type Work } from './in-process.ts';
import { openStagePorts } from './ports.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const EVENTS = 1000;
const BATCHES = 10;
const TURNS = 4;
const ROUNDS = 9;
/** Two tables and three indexes in place of one of each. */
const AT_LEAST = 0.25;

/** Events that count once, beside a table by hand that takes the same rows and knows no repeats. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const ports = openStagePorts(stage);
  try {
    const organizationId = await makeOrganization(stage);
    const ctx: OrganizationContext = {
      ...systemContext(ports, 'bench'),
      actor: {
        kind: 'key',
        key: {
          id: 1,
          organizationId,
          environment: 'live',
          permissions: new Set(),
          limits: { perMinute: null, perHour: null, perDay: null, override: null },
          terms: { plan: 'FREE', planTerms: NO_TERMS, planEnd: null, override: null, callsUsedUpUntil: null },
        },
        creator: null,
      },
      organization: { id: organizationId, permissions: new Set() },
    };
    const ours: Work = {
      name: `events in batches of ${EVENTS}`,
      run: (times) =>
        repeat(times, async () => void (await ingestUsage({ ...ctx, now: new Date() }, { events: batch() }))),
    };
    const byHand: Work = {
      name: 'rows by hand, one insert for each batch',
      run: (times) => repeat(times, () => insertByHand(ctx, batch())),
    };
    const samples = await takeTurns([byHand, ours], { timesPerTurn: BATCHES, turns: TURNS, rounds: ROUNDS });
    printSamples(`Batches of ${EVENTS} events, one after the other`, samples);
    const rate = spreadOf(samples.get(ours)!.map(({ elapsedNs }) => (EVENTS / elapsedNs) * 1e9));
    process.stdout.write(`${rate.median.toFixed(0)} events/s\n\n`);
    const unit = '× the events/s by hand';
    return [{ promise: 'Metering ingest', measured: speedRatio(samples, ours, byHand), atLeast: AT_LEAST, unit }];
  } finally {
    await closePorts(ports);
    await stage.database.query('drop table if exists events_by_hand');
  }
}

async function makeOrganization({ database }: Stage): Promise<number> {
  const { rows } = await database.query(
    `with made as (
       insert into organizations (name, personal, plan, metadata, created_at, updated_at)
       values ('Bench', false, 'FREE', '{}', now(), now()) returning id
     )
     insert into meters (organization_id, slug, name, aggregation, property, created_at)
     select id, 'tokens', 'Tokens', 'sum', 'tokens', now() from made returning organization_id as id`,
  );
  await database.query(
    `create table events_by_hand (
       id bigint generated always as identity, organization_id bigint, meter text, occurred_at timestamptz,
       transaction_id text, value numeric, external_id text, primary key (organization_id, meter, occurred_at, id))`,
  );
  return Number(rows[0].id);
}

const batch = () =>
  Array.from({ length: EVENTS }, (_, at) => ({
    transactionId: randomUUID(),
    meter: 'tokens',
    externalId: `customer-${at % 50}`,
    properties: { tokens: at },
  }));

async function insertByHand(
  { db, organization }: OrganizationContext,
  events: ReturnType<typeof batch>,
): Promise<void> {
  await execute(db, { name: 'insert_by_hand', text: BY_HAND }, [
    organization.id,
    events.map(({ transactionId }) => transactionId),
    events.map(({ meter }) => meter),
    events.map(({ externalId }) => externalId),
    events.map(({ properties }) => properties.tokens),
    new Date(),
  ]);
}

const BY_HAND = `
  insert into events_by_hand (organization_id, transaction_id, meter, external_id, value, occurred_at)
  select $1, *, $6 from unnest($2::text[], $3::text[], $4::text[], $5::numeric[])`;

async function repeat(times: number, once: () => Promise<void>): Promise<void> {
  for (let time = 0; time < times; time++) await once();
}
