import { execute, type Statement } from '@rentapi/platform/database';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { BaseModel } from '../data/base-model.ts';
import { afterCommit } from '../data/transaction.ts';
import { invalidationKeyOf } from '../pipeline/actor-cache.ts';
import type { EventType } from './event.ts';

interface Change<Data> {
  /** The row that changed. */
  target: BaseModel;
  before?: BaseModel;
  after?: BaseModel;
  /** The public payload: ids, never secrets. */
  data: Data;
  /** Where it happened, if that is not the organization of the call. What is a person's own happened in none. */
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
 * One change, one statement, in the caller's transaction: the event for everybody outside, the work it causes, and the
 * audit row of who did it. Either all of it happened or none.
 */
export async function record<Data extends z.ZodType>(
  ctx: Context,
  type: EventType<Data>,
  change: Change<z.output<Data>>,
): Promise<void> {
  if (!ctx.db.isTransaction) throw new Error(`${type.name} must be recorded in the transaction of its change`);
  const { actor } = ctx;
  const organizationId = type.audience === 'person' ? null : (change.organizationId ?? ctx.organization?.id ?? null);
  await execute(ctx.db, RECORD, [
    organizationId,
    type.name,
    JSON.stringify(change.data),
    ctx.now,
    ctx.ports.jobs.on(type.name),
    actor?.kind ?? 'system',
    actor ? (actor.kind === 'user' ? actor.user.id : actor.key.id) : null,
    (change.target.constructor as typeof BaseModel).tableName,
    change.target.id,
    auditable(change.before),
    auditable(change.after),
    ctx.request.ip,
    ctx.request.userAgent,
    ctx.request.requestId,
  ]);
  const invalidationKey = invalidationKeyOf(change.target);
  // Other processes are told by NOTIFY; whoever asks this one next finds nothing older in its memory.
  if (invalidationKey) afterCommit(ctx.db, () => ctx.ports.actors.forget(invalidationKey));
}

/** A row as the audit log keeps it: everything but what would let its reader in. */
function auditable(row: BaseModel | undefined): string | null {
  if (!row) return null;
  return JSON.stringify(row, (name, value) => (/hash|secret|password|sealed/i.test(name) ? undefined : value));
}
