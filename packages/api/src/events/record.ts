import type { Statement } from '@rentapi/platform/database';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { BaseModel } from '../data/base-model.ts';
import { type AuditedRow, snapshotOf } from '../data/model-facts.ts';
import { executeAtEnd } from '../data/transaction.ts';
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

/**
 * Writes the public event, the jobs it causes and the audit row in one statement, at the end of the transaction of the
 * change: all of it is committed, or none.
 */
export async function record<Data extends z.ZodType>(
  ctx: Context,
  type: EventType<Data>,
  change: Change<z.output<Data>>,
): Promise<void> {
  if (!ctx.db.isTransaction) throw new Error(`${type.name} must be recorded in the transaction of its change`);
  const { actor } = ctx;
  const organizationId = type.audience === 'person' ? null : (change.organizationId ?? ctx.organization?.id ?? null);
  await executeAtEnd(ctx.db, RECORD, [
    organizationId,
    type.name,
    JSON.stringify(change.data),
    ctx.now,
    ctx.ports.jobs.on(type.name),
    actor?.kind ?? 'system',
    actor ? (actor.kind === 'user' ? actor.user.id : actor.key.id) : null,
    (change.target.constructor as typeof BaseModel).tableName,
    change.target.id,
    change.before ? JSON.stringify(snapshotOf(change.before)) : null,
    change.after ? JSON.stringify(snapshotOf(change.after)) : null,
    ctx.request.ip,
    ctx.request.userAgent,
    ctx.request.requestId,
  ]);
  const invalidationKey = change.target.facts.invalidates?.(change.target);
  if (invalidationKey) forgetAfterCommit(ctx, [invalidationKey]);
}
