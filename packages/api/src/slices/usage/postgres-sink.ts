import {
  execute,
  isUnavailable,
  type Knex,
  type Statement,
  sqlStateOf,
  violatedConstraint,
} from '@rentapi/platform/database';
import { writeByDay } from '../../data/day-partitions.ts';
import { BatchRefusedError, type UsageCall, type UsageSink } from '../../pipeline/usage-log.ts';
import { SLOT_MS } from './slots.ts';

/** Each column, its type, and its text in an array of PostgreSQL. */
const COLUMNS: readonly (readonly [name: string, type: string, text: (call: UsageCall) => string])[] = [
  ['organization_id', 'bigint', (call) => String(call.organizationId)],
  ['occurred_at', 'timestamptz', (call) => call.occurredAt.toISOString()],
  ['call_id', 'bigint', (call) => String(call.callId)],
  ['key_id', 'bigint', (call) => orNull(call.keyId)],
  ['user_id', 'bigint', (call) => orNull(call.userId)],
  ['procedure', 'text', (call) => quote(call.procedure)],
  ['transport', 'text', (call) => call.transport],
  ['environment', 'text', (call) => call.environment ?? 'NULL'],
  ['status', 'smallint', (call) => String(call.status)],
  ['latency_us', 'integer', (call) => String(call.latencyUs)],
  ['bytes_in', 'integer', (call) => String(call.bytesIn)],
  ['bytes_out', 'integer', (call) => String(call.bytesOut)],
  ['ip', 'inet', (call) => call.ip ?? 'NULL'],
  ['user_agent', 'text', (call) => (call.userAgent === null ? 'NULL' : quote(call.userAgent))],
  ['cost', 'integer', (call) => String(call.cost)],
  ['request_id', 'text', (call) => quote(call.requestId)],
];

const orNull = (id: number | null): string => (id === null ? 'NULL' : String(id));
const quote = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;

const placeholders = COLUMNS.map(([, type], at) => `$${at + 1}::${type}[]`);

/** As fast as COPY, which PostgreSQL refuses where a table has row-level security, and in a pipeline. */
const WRITE: Statement = {
  name: 'write_usage_calls',
  text: `
    /* across organizations */
    with pending as (
      insert into usage_pending_slots (slot, batch_id)
      select to_timestamp(slot), $${COLUMNS.length + 1}::bigint from unnest($${COLUMNS.length + 2}::bigint[]) as slot
    )
    insert into usage_calls (${COLUMNS.map(([name]) => name).join(', ')})
    select * from unnest(${placeholders.join(', ')})`,
};

/** The statement's own fault, which a repetition has too: data, constraints, and what our functions raise. */
const REFUSED = /^(22|23|P0)/;

/** Writes calls into `usage_calls`, and notes which slots have to be rolled up. */
export function createPostgresSink(database: Knex): UsageSink {
  async function insert(batch: readonly UsageCall[]): Promise<void> {
    const columns = COLUMNS.map(([, , text]) => `{${batch.map(text).join(',')}}`);
    const slots = new Set(batch.map(({ occurredAt }) => Math.floor(occurredAt.getTime() / SLOT_MS) * (SLOT_MS / 1000)));
    await execute(database, WRITE, [...columns, batch[0]!.callId, [...slots]]);
  }

  return {
    async write(batch) {
      try {
        const moments = batch.map(({ occurredAt }) => occurredAt);
        await writeByDay(database, 'usage_calls', moments, () => insert(batch));
      } catch (error) {
        if (violatedConstraint(error) !== undefined) return; // this batch was written, and its answer lost
        if (!isUnavailable(error) && REFUSED.test(sqlStateOf(error) ?? ''))
          throw new BatchRefusedError('The usage log refused a batch.', { cause: error });
        throw error;
      }
    },
  };
}
