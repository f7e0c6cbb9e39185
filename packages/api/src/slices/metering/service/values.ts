import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertBounded, sliceRange, type TimeSlice } from '../../../contract/time-range.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import type { MeterModel } from '../model.ts';
import { type Aggregation, MAX_VALUES, type MeterValues, type ReadMeter } from '../schemas.ts';
import { findMeter } from './meters.ts';

/** What a meter shows of an organization's events, exactly: nothing is estimated, and the newest events are counted. */
export async function readMeter(ctx: OrganizationContext, input: ReadMeter): Promise<MeterValues> {
  const { from, to = iso(ctx.now) } = input;
  assertBounded(from);
  const slices = sliceRange({ ...input, from, to });
  const meter = await findMeter(ctx, ctx.ids.decode('mtr', input.meterId));
  const rows = await execute<Row>(ctx.db, statementFor(meter.aggregation, input.groupBy), [
    ctx.organization.id,
    meter.id,
    slices.map(({ from }) => from),
    slices.at(-1)!.to, // a range has at least one part
    input.keyId === undefined ? null : await findKey(ctx, input.keyId),
    input.externalId ?? null,
    input.environment,
    MAX_VALUES + 1,
  ]);
  const shown = input.groupBy ? rows : withEmpty(rows, slices, meter.aggregation);
  return {
    items: shown.slice(0, MAX_VALUES).map(({ slice, keyId, externalId, value }) => ({
      from: iso(slices[slice - 1]!.from),
      to: iso(slices[slice - 1]!.to),
      keyId: keyId === null ? null : ctx.ids.encode('key', Number(keyId)),
      externalId,
      value: value === null ? null : Number(value),
    })),
    complete: shown.length <= MAX_VALUES,
  };
}

interface Row {
  /** Its number, from 1. */
  slice: number;
  keyId: string | null;
  externalId: string | null;
  /** A decimal number of any length. */
  value: string | null;
}

/**
 * What a meter shows in each of the parts that follow each other, of what is billed: as a decimal number, or null for
 * the maximum or the latest value of no events.
 */
export async function readTotals(
  { db, organization }: Tenancy,
  meter: MeterModel,
  parts: readonly TimeSlice[],
): Promise<(string | null)[]> {
  const from = parts.map(({ from }) => from);
  const values = [organization.id, meter.id, from, parts.at(-1)!.to, null, null, 'live', parts.length];
  const rows = await execute<Row>(db, statementFor(meter.aggregation, undefined), values);
  return parts.map((_, at) => rows.find(({ slice }) => slice === at + 1)?.value ?? null);
}

async function findKey(ctx: OrganizationContext, keyId: string): Promise<number> {
  const key = await ApiKeyModel.of(ctx)
    .select('id')
    .findOne({ id: ctx.ids.decode('key', keyId) });
  if (!key) throw new ApiError('not_found');
  return key.id;
}

const TOTALS: Record<Exclude<Aggregation, 'latest'>, string> = {
  count: 'count(*)',
  sum: 'sum(value)',
  max: 'max(value)',
  unique: 'count(distinct distinct_value)',
};

function statementFor(aggregation: Aggregation, groupBy: ReadMeter['groupBy']): Statement {
  const groups = [
    'width_bucket(occurred_at, $3::timestamptz[]) as slice',
    `${groupBy === 'key' ? 'api_key_id' : 'null::bigint'} as key_id`,
    `${groupBy === 'externalId' ? 'external_id' : 'null::text'} as external_id`,
  ].join(', ');
  const source = `
    from usage_events
    where organization_id = $1 and meter_id = $2 and occurred_at >= ($3::timestamptz[])[1] and occurred_at < $4 and environment = $7
      and ($5::bigint is null or api_key_id = $5) and ($6::text is null or external_id = $6)`;
  const values =
    aggregation === 'latest'
      ? `select distinct on (slice, key_id, external_id) slice, key_id, external_id, value
         from (select ${groups}, value, occurred_at, id ${source}) as events
         order by slice, key_id, external_id, occurred_at desc, id desc`
      : `select ${groups}, ${TOTALS[aggregation]} as value ${source} group by 1, 2, 3`;
  return {
    text: `
      select slice, key_id::text as "keyId", external_id as "externalId", value::text as value
      from (${values}) as found
      order by slice, found.value desc nulls last, key_id, external_id
      limit $8`,
  };
}

/** A part without events shows zero; a maximum or a latest value does not exist there. */
function withEmpty(rows: readonly Row[], slices: readonly TimeSlice[], aggregation: Aggregation): Row[] {
  const found = new Map(rows.map((row) => [row.slice, row]));
  const value = aggregation === 'max' || aggregation === 'latest' ? null : '0';
  return slices.map((_, at) => found.get(at + 1) ?? { slice: at + 1, keyId: null, externalId: null, value });
}
