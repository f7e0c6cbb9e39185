import { createHash } from 'node:crypto';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError, type ErrorCode, type FieldError } from '../../../contract/errors.ts';
import type { UsageEvent } from '../schemas.ts';
import type { KnownMeter, KnownMeters } from './meters.ts';

const MAX_SKEW_MS = 5 * 60_000;
export const MAX_LATE_MS = 24 * 3_600_000;
const MAX_VALUE = 1_000_000_000_000;
const HASH_BYTES = 16;

/** An event as it is written. */
export interface JudgedEvent {
  /** Its place in the batch. */
  at: number;
  transactionId: string;
  /** Of all that was sent: a repeat must be the same event. */
  contentHash: Buffer;
  meterId: number;
  occurredAt: string;
  value: number | null;
  distinctValue: string | null;
  externalId: string | null;
  keyId: number | null;
}

interface Fault extends FieldError {
  code: ErrorCode;
}

/** The events, each transaction once. Throws where one cannot be counted, with all that cannot. */
export function judgeEvents(
  ctx: OrganizationContext,
  events: readonly UsageEvent[],
  meters: KnownMeters,
): JudgedEvent[] {
  const faults: Fault[] = [];
  const byTransaction = new Map<string, JudgedEvent>();
  events.forEach((event, at) => {
    try {
      const judged = judgeEvent(ctx, event, { at, meter: meters.get(event.meter) });
      const same = byTransaction.get(judged.transactionId);
      if (!same) byTransaction.set(judged.transactionId, judged);
      else if (!same.contentHash.equals(judged.contentHash))
        throw new Refusal('transaction_id_reused', 'transactionId', `is that of events.${same.at}, which is different`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      faults.push({ code: error.code, path: `events.${at}.${error.field}`, message: error.message });
    }
  });
  const [first] = faults;
  if (first) throw new ApiError(first.code, { errors: faults.map(({ path, message }) => ({ path, message })) });
  return [...byTransaction.values()];
}

class Refusal extends Error {
  readonly code: ErrorCode;
  readonly field: string;
  constructor(code: ErrorCode, field: string, message: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

function judgeEvent(
  ctx: OrganizationContext,
  event: UsageEvent,
  { at, meter }: { at: number; meter: KnownMeter | undefined },
): JudgedEvent {
  const keyId = event.keyId === undefined ? null : decodeKey(ctx, event.keyId);
  if (!meter) throw new Refusal('unknown_meter', 'meter', 'is no meter of the organization');
  if (meter.isArchived) throw new Refusal('meter_archived', 'meter', 'is archived');
  const judged: JudgedEvent = {
    at,
    transactionId: event.transactionId,
    contentHash: hashOf(event),
    meterId: meter.id,
    occurredAt: timeOf(ctx, event),
    value: null,
    distinctValue: null,
    externalId: event.externalId ?? null,
    keyId,
  };
  if (meter.aggregation === 'unique') judged.distinctValue = String(propertyOf(event, meter));
  else if (meter.aggregation !== 'count') judged.value = numberOf(event, meter);
  return judged;
}

function decodeKey(ctx: OrganizationContext, keyId: string): number {
  try {
    return ctx.ids.decode('key', keyId);
  } catch (error) {
    if (error instanceof ApiError) throw unknownKey();
    throw error;
  }
}

const unknownKey = () => new Refusal('not_found', 'keyId', 'is no key of the organization');

function timeOf({ now }: OrganizationContext, { timestamp }: UsageEvent): string {
  if (timestamp === undefined) return now.toISOString();
  const ageMs = now.getTime() - Date.parse(timestamp);
  if (ageMs < -MAX_SKEW_MS) throw new Refusal('usage_in_future', 'timestamp', 'is more than 5 minutes ahead');
  if (ageMs > MAX_LATE_MS) throw new Refusal('usage_too_late', 'timestamp', 'is more than 24 hours ago');
  return timestamp;
}

function propertyOf({ properties }: UsageEvent, { property }: KnownMeter): string | number | boolean {
  const name = property ?? '';
  const found = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (found === undefined || found === null)
    throw new Refusal('usage_property_missing', 'properties', `must contain \`${name}\`, which the meter aggregates`);
  return found;
}

function numberOf(event: UsageEvent, meter: KnownMeter): number {
  const field = meter.property === null ? 'value' : `properties.${meter.property}`;
  const value = meter.property === null ? event.value : propertyOf(event, meter);
  if (value === undefined) throw new Refusal('usage_value_missing', field, 'is needed');
  if (typeof value !== 'number') throw new Refusal('usage_value_not_a_number', field, 'must be a number');
  if (value < 0) throw new Refusal('usage_value_negative', field, 'must be at least 0');
  if (value > MAX_VALUE) throw new Refusal('usage_value_too_large', field, `must be at most ${MAX_VALUE}`);
  return value;
}

/** Whatever the order in which the properties were sent. */
function hashOf({ transactionId: _, properties = {}, ...event }: UsageEvent): Buffer {
  const { meter, value = null, externalId = null, keyId = null, timestamp = null } = event;
  const sorted = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  const content = JSON.stringify([meter, value, externalId, keyId, timestamp, sorted]);
  return createHash('sha256').update(content).digest().subarray(0, HASH_BYTES);
}
