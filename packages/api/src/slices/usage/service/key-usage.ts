import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { sliceRange } from '../../../contract/time-range.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import type { GetKeyUsage, KeyUsage, UsageCounts } from '../schemas.ts';
import { countedSlots, NO_CALLS, SUMS } from './counted.ts';
import { toSlots } from './slot-range.ts';

const DAY_MS = 86_400_000;
const SHOWN_DAYS = { day: 30, hour: 1 };

/** The slots of each part of the series: part n begins with the nth of the moments. */
const SERIES: Statement = {
  text: `
    with ${countedSlots({ where: 'and key_id = $4', columns: { rolledUp: 'key_id', calls: 'key_id' } })}
    select width_bucket(slot, $5::timestamptz[]) as part, ${SUMS} from counted group by 1`,
};

/** The calls with a key, by the hours or days of a time zone. */
export async function getKeyUsage(ctx: OrganizationContext, input: GetKeyUsage): Promise<KeyUsage> {
  const { keyId, interval, timeZone } = input;
  const range = toSlots(input, ctx.now, (to) => new Date(to.getTime() - SHOWN_DAYS[interval] * DAY_MS));
  const parts = sliceRange({ ...range, interval, timeZone }).map(({ from }) => from);
  const id = ctx.ids.decode('key', keyId);
  if (!(await ApiKeyModel.of(ctx).findOne({ id }))) throw new ApiError('not_found');
  const rows = await execute<UsageCounts & { part: number }>(ctx.db, SERIES, [
    ctx.organization.id,
    range.from,
    range.to,
    id,
    parts.map((from) => from.toISOString()),
  ]);
  const counted = new Map(rows.map(({ part, ...counts }) => [part, counts]));
  return {
    keyId,
    ...range,
    interval,
    timeZone,
    total: sumOf([...counted.values()]),
    series: parts.map((from, at) => ({ at: iso(from), ...(counted.get(at + 1) ?? NO_CALLS) })),
  };
}

function sumOf(parts: readonly UsageCounts[]): UsageCounts {
  const sum = (field: keyof UsageCounts) => parts.reduce((total, part) => total + part[field], 0);
  return {
    calls: sum('calls'),
    errors: sum('errors'),
    bytesIn: sum('bytesIn'),
    bytesOut: sum('bytesOut'),
    cost: sum('cost'),
  };
}
