import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { sliceRange } from '../../../contract/time-range.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import { callsWithKey, MAX_SUMMED_SLOTS, readSums } from '../../analytics/service/read-sums.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import type { GetKeyUsage, KeyUsage, UsageCounts } from '../schemas.ts';
import { addCounts, NO_CALLS } from './counts.ts';
import { toSlots } from './slot-range.ts';

const DAY_MS = 86_400_000;
const SHOWN_DAYS = { day: 30, hour: 1 };

/** The calls with a key, by the hours or days of a time zone. */
export async function getKeyUsage(ctx: OrganizationContext, input: GetKeyUsage): Promise<KeyUsage> {
  const { keyId, interval, timeZone } = input;
  const range = toSlots(input, ctx.now, (to) => new Date(to.getTime() - SHOWN_DAYS[interval] * DAY_MS));
  const parts = sliceRange({ ...range, interval, timeZone });
  const id = ctx.ids.decode('key', keyId);
  const key = await ApiKeyModel.of(ctx).select('environment').findOne({ id });
  if (!key) throw new ApiError('not_found');
  const whole = { from: parts[0]!.from, to: parts.at(-1)!.to }; // a range has at least one part
  const uncounted = await findUncounted(ctx, whole, MAX_SUMMED_SLOTS);
  const counted = new Map<number, UsageCounts>();
  for (const { bucket, group: _, ...counts } of await readSums(
    ctx,
    [callsWithKey(key.environment, id)],
    parts,
    uncounted,
  ))
    counted.set(bucket, counts);
  return {
    keyId,
    ...range,
    interval,
    timeZone,
    total: [...counted.values()].reduce(addCounts, NO_CALLS),
    series: parts.map(({ from }, at) => ({ at: iso(from), ...(counted.get(at) ?? NO_CALLS) })),
  };
}
