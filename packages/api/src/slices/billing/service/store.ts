import type { ObjectRef, PaymentProvider, ProviderEvent, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { noteFinding } from './findings.ts';
import { syncObject } from './sync.ts';

/** Nothing is returned for an event that came before: it is stored, and its object was marked then. */
const STORE: Statement = {
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
      returning dirty_seq
    )
    select (select dirty_seq from marked) as seq from stored`,
};

/** The event, the mark on its object and the job that reads the object commit together, or the provider sends again. */
export async function storeEvent(ctx: Context, provider: PaymentProvider, event: ProviderEvent): Promise<void> {
  const object = provider.objectOf(event);
  const isOurs = event.isLive === provider.isLive;
  const { name } = provider;
  await transaction(ctx, async (ctx) => {
    const [stored] = await execute<{ seq: number | null }>(ctx.db, STORE, [
      name,
      event.id,
      event.type,
      object?.kind ?? null,
      object?.id ?? null,
      event.isLive,
      event.createdAt,
      ctx.now,
      object !== null && isOurs,
    ]);
    if (!stored || !object) return;
    if (!isOurs) return noteFinding(ctx, { kind: 'OTHER_ENVIRONMENT', provider: name, object });
    const seq = stored.seq!; // marked with it
    const key = `${name}/${object.kind}/${object.id}/${seq}`;
    await enqueue(ctx, syncObject, { provider: name, kind: object.kind, id: object.id, seq }, { key });
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
