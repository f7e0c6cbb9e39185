import type {
  Charge,
  Customer,
  Dispute,
  ObjectKind,
  ObjectRef,
  PaymentMethod,
  PaymentProvider,
  Refund,
  Setup,
} from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { execute, type Statement } from '@rentapi/platform/database';
import { z } from 'zod';
import type { Context } from '../../../context.ts';
import { executeSoon, transaction } from '../../../data/transaction.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { job, type RunControl } from '../../../jobs/job.ts';
import { noteFinding } from './findings.ts';

/** An object as its provider has it: null where there is none any more. */
export type ReadObject = Charge | Refund | Dispute | Setup | PaymentMethod | Customer | null;

/** `later`: what was read has no meaning for us yet, and nothing else will have it read again. */
export type Applied = boolean | 'later';

/** Applies what was read, in the transaction that remembers it. False: none of ours is meant. */
export type Apply = (ctx: Context, provider: PaymentProvider, object: ObjectRef, read: ReadObject) => Promise<Applied>;

/** What is applied, by the kind of object; an object of another kind is none of ours. */
export type Projections = Readonly<Partial<Record<ObjectKind, Apply>>>;

const Marked = z.strictObject({
  provider: z.enum(['stripe', 'paypal', 'manual']),
  kind: z.enum(['charge', 'setup', 'method', 'refund', 'dispute', 'customer']),
  id: z.string().max(128),
  seq: z.int(),
});
type Marked = z.output<typeof Marked>;

/** Reads an object that an event was about. Its key has the number of the mark: see `enqueue`. */
export const syncObject = job({
  name: 'billing.sync_object',
  queue: 'subscriptions',
  data: Marked,
  run: (ctx, marked) => sync(ctx, marked, ctx.ports.projections[marked.kind] ?? noteUnknown),
});

const TICKET: Statement = {
  text: `
    select dirty_seq as ticket, synced_seq as synced from provider_objects
    where provider = $1 and kind = $2 and external_id = $3`,
};

const LOCK: Statement = {
  text: `
    select synced_seq as synced from provider_objects
    where provider = $1 and kind = $2 and external_id = $3 for update`,
};

const SYNCED: Statement = {
  text: `
    update provider_objects set synced_seq = $4, synced_at = $5
    where provider = $1 and kind = $2 and external_id = $3`,
};

/** It stays marked, and counts as asked for until then. */
const LATER: Statement = {
  text: 'update provider_objects set asked_at = $4 where provider = $1 and kind = $2 and external_id = $3',
};
const LATER_MS = 86_400_000;

/**
 * Reads under a ticket: a reading that began after the mark sees everything that the events before it were about, so
 * the newest ticket wins, whatever order readings end in. No lock is held while the provider answers.
 */
export async function sync(ctx: Context, { provider: name, kind, id, seq }: Marked, apply: Apply): Promise<void> {
  const provider = ctx.ports.payments.get(name);
  if (!provider) return; // its settings were taken away; the mark stays, for the day they come back
  const of = [name, kind, id];
  const [marked] = await execute<{ ticket: number; synced: number }>(ctx.db, TICKET, of);
  if (!marked || marked.synced >= seq) return; // another reading has seen it
  const { ticket } = marked;
  const object = { kind, id };
  const read = await readObject(provider, object);
  await transaction(ctx, async (ctx) => {
    const [row] = await execute<{ synced: number }>(ctx.db, LOCK, of);
    if (!row || row.synced >= ticket) return;
    const applied = await apply(ctx, provider, object, read);
    if (applied === 'later') {
      await execute(ctx.db, LATER, [...of, new Date(ctx.now.getTime() + LATER_MS)]);
      return;
    }
    if (!applied) {
      const theirs = read && 'providerStatus' in read ? read.providerStatus : undefined;
      await noteFinding(ctx, { kind: 'UNKNOWN_OBJECT', provider: name, object, ...(theirs && { theirs }) });
    }
    await executeSoon(ctx.db, SYNCED, [...of, ticket, ctx.now]);
  });
}

async function noteUnknown(): Promise<boolean> {
  return false;
}

async function readObject(provider: PaymentProvider, { kind, id }: ObjectRef): Promise<ReadObject> {
  try {
    if (kind === 'charge') return await provider.getCharge(id);
    if (kind === 'refund') return await provider.getRefund(id);
    if (kind === 'dispute') return await provider.getDispute(id);
    if (kind === 'setup') return await provider.finishSetup(id);
    if (kind === 'method') return await provider.getMethod(id);
    return await provider.getCustomer(id);
  } catch (error) {
    if (error instanceof ProviderError && error.outcome === 'refused') return null;
    throw error;
  }
}

/** In the order in which they were last asked for: what cannot be read now keeps nothing else waiting. */
const FORGOTTEN: Statement = {
  text: `
    update provider_objects set asked_at = $1
    where (provider, kind, external_id) in (
      select provider, kind, external_id from provider_objects
      where synced_seq < dirty_seq and greatest(dirty_at, asked_at) < $2 and provider = any ($3)
      order by greatest(dirty_at, asked_at) limit $4
      for update skip locked
    )
    returning provider, kind, external_id as id, dirty_seq as seq`,
};

const PATIENCE_MS = 600_000;
const BATCH = 500;

/** Asks again for objects whose job has died, as after days without the provider. Not of one without settings. */
export async function syncForgotten(ctx: Context, control: RunControl): Promise<void> {
  if (control.signal.aborted) return;
  const before = new Date(ctx.now.getTime() - PATIENCE_MS);
  await transaction(ctx, async (ctx) => {
    const values = [ctx.now, before, [...ctx.ports.payments.keys()], BATCH];
    for (const marked of await execute<Marked>(ctx.db, FORGOTTEN, values)) {
      const { provider, kind, id, seq } = marked;
      await enqueue(ctx, syncObject, marked, { key: `${provider}/${kind}/${id}/${seq}` });
    }
  });
}
