import type { Listed, Movement, PaymentProvider, ProviderEvent } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { executeSoon, transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { storeEvent } from '../../billing/service/store.ts';
import { findUnknownMovements } from './movements.ts';

type List = keyof Listed;

const HOUR_MS = 3_600_000;
const EVERY_MS = 24 * HOUR_MS;
/** The job runs more often than this: where it has not, events may have been lost. */
const PAUSE_MS = 900_000;
/** What a provider lists later than it happened, or under a clock that is behind. */
const LATE_MS: Record<List, number> = { events: HOUR_MS, movements: 24 * HOUR_MS };
/** Of one list in one run; the next goes on. */
const MAX_PAGES = 200;

const BEGIN: Statement = {
  text: `
    insert into provider_lists (provider, list, since, looked_at, started_at) values ($1, $2, $3, $3, $3)
    on conflict (provider, list) do update set looked_at = $3,
      began_at = coalesce(provider_lists.began_at,
        case when provider_lists.since <= $4 or provider_lists.looked_at <= $5 then $3::timestamptz end)
    returning since, began_at as "beganAt", page`,
};
const NEXT_PAGE: Statement = {
  text: 'update provider_lists set page = $3 where provider = $1 and list = $2 and began_at = $4',
};
const ENDED: Statement = {
  text: `
    update provider_lists set since = began_at, began_at = null, page = null
    where provider = $1 and list = $2 and began_at = $3`,
};

/**
 * Reads what every provider lists since the last time, daily and after a pause: events that were lost are stored as if
 * they had arrived, movements are kept to be compared. A provider that is down delays its own lists alone.
 */
export async function readLists(ctx: Context, control: RunControl): Promise<void> {
  for (const provider of ctx.ports.payments.values()) {
    try {
      await readList(ctx, control, provider, 'events', (ctx, events) => storeEvents(ctx, provider, events));
      await readList(ctx, control, provider, 'movements', (ctx, movements) => keepMovements(ctx, provider, movements));
      await findUnknownMovements(ctx, provider.name);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      ctx.ports.log.warn({ err: error }, `what ${provider.name} lists is read later`);
    }
  }
}

async function readList<Kind extends List>(
  ctx: Context,
  { signal, touch }: RunControl,
  provider: PaymentProvider,
  list: Kind,
  keep: (ctx: Context, items: Listed[Kind][]) => Promise<void>,
): Promise<void> {
  const { name } = provider;
  const { now } = ctx;
  const [state] = await execute<{ since: Date; beganAt: Date | null; page: string | null }>(ctx.db, BEGIN, [
    name,
    list,
    now,
    new Date(now.getTime() - EVERY_MS),
    new Date(now.getTime() - PAUSE_MS),
  ]);
  const { since, beganAt } = state!;
  if (beganAt === null) return;
  const from = new Date(since.getTime() - LATE_MS[list]);
  let { page } = state!;
  for (let read = 0; read < MAX_PAGES && !signal.aborted; read++, touch()) {
    const { items, next } = await provider.listSince(list, from, page);
    const readOn = async (ctx: Context): Promise<void> =>
      next === null
        ? executeSoon(ctx.db, ENDED, [name, list, beganAt])
        : executeSoon(ctx.db, NEXT_PAGE, [name, list, next, beganAt]);
    if (items.length === 0) await readOn(ctx);
    else
      await transaction(ctx, async (ctx) => {
        await keep(ctx, items);
        await readOn(ctx);
      });
    if (next === null) return;
    page = next;
  }
}

const KNOWN: Statement = {
  text: 'select external_id as id from provider_events where provider = $1 and external_id = any ($2)',
};

/** Most that are listed have arrived long before. */
async function storeEvents(ctx: Context, provider: PaymentProvider, events: readonly ProviderEvent[]): Promise<void> {
  const rows = await execute<{ id: string }>(ctx.db, KNOWN, [provider.name, events.map(({ id }) => id)]);
  const known = new Set(rows.map(({ id }) => id));
  for (const event of events) if (!known.has(event.id)) await storeEvent(ctx, provider, event);
}

const KEEP: Statement = {
  text: `
    insert into provider_movements (provider, external_id, kind, source_id, currency, amount_minor, fee_minor, at, kept_at)
    select $1, external_id, kind, source_id, currency, amount_minor, fee_minor, at, $3
    from json_to_recordset($2) as given (external_id text, kind text, source_id text, currency text,
      amount_minor bigint, fee_minor bigint, at timestamptz)
    on conflict (provider, external_id) do nothing`,
};

async function keepMovements(ctx: Context, { name }: PaymentProvider, movements: readonly Movement[]): Promise<void> {
  const rows = movements.map(({ id, kind, sourceId, amount, feeMinor, at }) => ({
    external_id: id,
    kind,
    source_id: sourceId,
    currency: amount.currency,
    amount_minor: amount.amountMinor,
    fee_minor: feeMinor,
    at,
  }));
  await executeSoon(ctx.db, KEEP, [name, JSON.stringify(rows), ctx.now]);
}
