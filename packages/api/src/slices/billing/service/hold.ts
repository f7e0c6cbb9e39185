import { createHash } from 'node:crypto';
import type { EventHeaders, PaymentProvider, ProviderEvent } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import { z } from 'zod';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { job } from '../../../jobs/job.ts';
import { storeEvent } from './store.ts';

export interface ReceivedEvent {
  provider: PaymentProvider;
  event: ProviderEvent;
  raw: Buffer;
  headers: EventHeaders;
}

/** Their sender is not known yet, so there is an end. */
const MAX_HELD = 10_000;

/** What PayPal's signature is made of. */
const HEADERS = /^paypal-[a-z-]{1,40}$/;

const COUNT: Statement = { text: 'select count(*)::integer as held from (select from held_events limit $1) as first' };

const HOLD: Statement = {
  text: `
    insert into held_events (provider, digest, raw, headers, received_at) values ($1, $2, $3, $4, $5)
    on conflict (provider, digest) do nothing returning id`,
};

/** Keeps what came until a job has judged it. Under an id of its own: a forged one must not take a genuine one's. */
export async function holdEvent(ctx: Context, { provider, raw, headers }: ReceivedEvent): Promise<void> {
  const signature = Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS.test(name)));
  const text = JSON.stringify(signature);
  const digest = createHash('sha256').update(raw).update(text).digest();
  await transaction(ctx, async (ctx) => {
    const [room] = await execute<{ held: number }>(ctx.db, COUNT, [MAX_HELD]);
    if (room!.held >= MAX_HELD) {
      throw new ApiError('unavailable', {
        detail: 'Too many events wait to be judged: send it again later.',
        retryAfterS: 60,
      });
    }
    const [held] = await execute<{ id: number }>(ctx.db, HOLD, [provider.name, digest, raw, text, ctx.now]);
    if (held) await enqueue(ctx, judgeEvent, { heldId: held.id });
  });
}

export const judgeEvent = job({
  name: 'billing.judge_event',
  queue: 'subscriptions',
  data: z.strictObject({ heldId: z.int() }),
  run: (ctx, { heldId }) => judge(ctx, heldId),
});

const Headers = z.record(z.string(), z.string());

const FIND: Statement = {
  text: 'select provider, raw, headers, received_at as "receivedAt" from held_events where id = $1',
};
const DROP: Statement = { text: 'delete from held_events where id = $1 returning id' };

/** Lets a held event go: into the events if it is genuine, else away. */
async function judge(ctx: Context, heldId: number): Promise<void> {
  const [held] = await execute<{ provider: 'paypal'; raw: Buffer; headers: unknown; receivedAt: Date }>(ctx.db, FIND, [
    heldId,
  ]);
  const provider = held && ctx.ports.payments.get(held.provider);
  if (!provider) return;
  const headers = Headers.parse(held.headers);
  const isGenuine = await provider.confirmEvent(held.raw, headers, held.receivedAt);
  const event = isGenuine ? await provider.verifyEvent(held.raw, headers, held.receivedAt) : null;
  await transaction(ctx, async (ctx) => {
    const [dropped] = await execute<{ id: number }>(ctx.db, DROP, [heldId]);
    if (dropped && event) await storeEvent(ctx, provider, event);
  });
}
