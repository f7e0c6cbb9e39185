import type { ObjectRef, PaymentProvider, ProviderEvent, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { AT_ONCE, enqueue } from '../../../jobs/enqueue.ts';
import { wakeDispatcher } from '../../../jobs/wake-dispatcher.ts';
import { noteFinding } from './findings.ts';
import { syncObject } from './sync.ts';

/**
 * The event, the mark on its object and the request to read it, in one statement, because providers send bursts.
 * Nothing is returned for an event that came before: its object was marked then.
 */
const STORE: Statement = {
  name: 'store_event', // it reads no table, so that its plan is good for any size
  text: `
    with stored as (
      insert into provider_events (provider, external_id, type, object_kind, object_id, live, created_at, received_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (provider, external_id) do nothing
      returning id
    ), marked as (
      insert into provider_objects as object (provider, kind, external_id, dirty_seq, dirty_at)
      select $1, $4, $5, 1, $8 from stored where $9
      on conflict (provider, kind, external_id) do update
        set dirty_seq = object.dirty_seq + 1, dirty_at = excluded.dirty_at
      returning dirty_seq as seq
    ), asked as (
      insert into outbox (job, data, key, available_at)
      select $10, jsonb_build_object('provider', $1::text, 'kind', $4::text, 'id', $5::text, 'seq', seq),
             concat_ws('/', $1::text, $4::text, $5::text, seq), ${AT_ONCE}
      from marked
    )
    select id from stored`,
};

/** Stored once, or the provider sends it again. */
export async function storeEvent(ctx: Context, provider: PaymentProvider, event: ProviderEvent): Promise<void> {
  const object = provider.objectOf(event);
  const isOurs = event.isLive === provider.isLive;
  const { name } = provider;
  const values = [
    name,
    event.id,
    event.type,
    object?.kind ?? null,
    object?.id ?? null,
    event.isLive,
    event.createdAt,
    ctx.now,
    object !== null && isOurs,
    syncObject.name,
  ];
  if (object === null || isOurs) {
    const [stored] = await execute(ctx.db, STORE, values);
    if (stored) wakeDispatcher(ctx);
    return;
  }
  await transaction(ctx, async (ctx) => {
    const [stored] = await execute<{ id: number }>(ctx.db, STORE, values);
    if (stored) await noteFinding(ctx, { kind: 'OTHER_ENVIRONMENT', provider: name, object });
  });
}

const MARK: Statement = {
  text: `
    insert into provider_objects as object (provider, kind, external_id, dirty_seq, dirty_at) values ($1, $2, $3, 1, $4)
    on conflict (provider, kind, external_id) do update
      set dirty_seq = object.dirty_seq + 1, dirty_at = excluded.dirty_at
    returning dirty_seq as seq`,
};

/** Has an object read again, as an event about it would. */
export async function markObject(ctx: Context, provider: ProviderName, { kind, id }: ObjectRef): Promise<void> {
  const [marked] = await execute<{ seq: number }>(ctx.db, MARK, [provider, kind, id, ctx.now]);
  const { seq } = marked!; // inserted, or updated
  await enqueue(ctx, syncObject, { provider, kind, id, seq }, { key: `${provider}/${kind}/${id}/${seq}` });
}
