import type { Statement } from '@rentapi/platform/database';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { BaseModel } from '../data/base-model.ts';
import { type AuditedRow, snapshotOf } from '../data/model-facts.ts';
import { writeAtEnd } from '../data/transaction.ts';
import { forgetAfterCommit } from '../pipeline/actor-cache.ts';
import type { EventType } from './event.ts';

interface Change<Data> {
  /** The row that changed. */
  target: AuditedRow;
  before?: AuditedRow;
  after?: AuditedRow;
  /** The public payload: ids, never secrets. */
  data: Data;
  /** The organization of the event, if it is not the one of the call. */
  organizationId?: number;
}

const RECORD: Statement = {
  name: 'record',
  text: `
    with event as (
      insert into events (organization_id, type, data, created_at) values ($1, $2, $3, $4) returning id
    ), work as (
      insert into outbox (event_id, job, available_at) select event.id, job, $4 from event, unnest($5::text[]) job
    )
    insert into audit_logs (organization_id, event_id, action, actor_kind, actor_id, target_kind, target_id, before, after, ip, user_agent, request_id, created_at)
    select $1, event.id, $2, $6, $7, $8, $9, $10, $11, $12, $13, $14, $4 from event`,
};

/** The same for several rows, also of several organizations: ids are in their order. It costs more for one. */
const RECORD_ALL: Statement = {
  name: 'record_all',
  text: `
    /* across organizations */
    with given as (
      select row_number() over () as nth, *
      from json_to_recordset($1) as given (organization_id bigint, type text, data text, created_at timestamptz,
        jobs text[], actor_kind text, actor_id bigint, target_kind text, target_id bigint, before text, after text,
        ip text, user_agent text, request_id text)
    ), event as (
      insert into events (organization_id, type, data, created_at)
      select organization_id, type, data::jsonb, created_at from given order by nth returning id
    ), recorded as (
      select given.*, event.id as event_id
      from given join (select id, row_number() over (order by id) as nth from event) event using (nth)
    ), work as (
      insert into outbox (event_id, job, available_at) select event_id, job, created_at from recorded, unnest(jobs) job
    )
    insert into audit_logs (organization_id, event_id, action, actor_kind, actor_id, target_kind, target_id, before, after, ip, user_agent, request_id, created_at)
    select organization_id, event_id, type, actor_kind, actor_id, target_kind, target_id, before::jsonb, after::jsonb,
      ip, user_agent, request_id, created_at
    from recorded order by nth`,
};

/**
 * Writes the public event, the jobs it causes and the audit row at the end of the transaction of the change, in one
 * statement for all that it records: all of it is committed, or none.
 */
export async function record<Data extends z.ZodType>(
  ctx: Context,
  type: EventType<Data>,
  change: Change<z.output<Data>>,
): Promise<void> {
  if (!ctx.db.isTransaction) throw new Error(`${type.name} must be recorded in the transaction of its change`);
  const { actor } = ctx;
  const organizationId = type.audience === 'person' ? null : (change.organizationId ?? ctx.organization?.id ?? null);
  // In the order of the values of RECORD.
  const row = {
    organization_id: organizationId,
    type: type.name,
    data: JSON.stringify(change.data),
    created_at: ctx.now,
    jobs: ctx.ports.jobs.on(type.name),
    actor_kind: actor?.kind ?? 'system',
    actor_id: actor ? (actor.kind === 'user' ? actor.user.id : actor.key.id) : null,
    target_kind: (change.target.constructor as typeof BaseModel).tableName,
    target_id: change.target.id,
    before: change.before ? JSON.stringify(snapshotOf(change.before)) : null,
    after: change.after ? JSON.stringify(snapshotOf(change.after)) : null,
    ip: ctx.request.ip,
    user_agent: ctx.request.userAgent,
    request_id: ctx.request.requestId,
  };
  await writeAtEnd(ctx.db, RECORD_ALL, row, RECORD);
  const invalidationKey = change.target.facts.invalidates?.(change.target);
  if (invalidationKey) forgetAfterCommit(ctx, [invalidationKey]);
}
