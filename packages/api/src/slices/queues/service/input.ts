import { CENSOR } from '@rentapi/platform/logger/redact';
import type { Context } from '../../../context.ts';
import type { IdPrefix } from '../../../contract/ids.ts';
import type { JobDetails } from '../schemas.ts';

/** Row ids in the input of jobs, by the name of their field. */
const IDS: Readonly<Record<string, IdPrefix>> = {
  eventId: 'evt',
  organizationId: 'org',
  userId: 'usr',
  keyId: 'key',
  webhookId: 'whk',
};
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What cannot be secret or personal: ids in their public form, times, names of jobs, counts and switches. */
export function presentInput(ctx: Context, data: unknown): JobDetails['input'] {
  if (typeof data !== 'object' || data === null) return null;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, presentValue(ctx, name, value)]));
}

function presentValue({ ids, ports }: Context, name: string, value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    const prefix = IDS[name];
    if (prefix) return ids.encode(prefix, value);
    return name.endsWith('Id') ? CENSOR : value;
  }
  const isPlain = typeof value === 'string' && (TIME.test(value) || ports.jobs.named(value) !== undefined);
  return isPlain ? value : CENSOR;
}
