import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { readRows, rowsOf } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { visibleEvents } from '../../../events/catalogue.ts';
import { enqueueNumbered } from '../../../jobs/enqueue.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { bodyOf } from '../delivery/attempt.ts';
import { endPauseAfterCommit, makeDue } from '../delivery/due.ts';
import { AttemptModel, DeliveryModel, type WebhookModel } from '../model.ts';
import type {
  DeliveryId,
  ListDeliveries,
  RecoverWebhook,
  Recovery,
  TestWebhook,
  WebhookDelivery,
  WebhookDeliveryDetails,
} from '../schemas.ts';
import { recoverDeliveries } from './recover.ts';
import { findWebhook } from './webhooks.ts';

const SHOWN_ATTEMPTS = 50;
const RECOVERABLE_MS = 30 * 86_400_000;

export async function listDeliveries(
  ctx: OrganizationContext,
  input: ListDeliveries,
): Promise<{ items: WebhookDelivery[]; nextCursor: string | null }> {
  const { webhookId, status, eventType, since, until } = input;
  const webhook = await findWebhook(ctx, webhookId);
  assertRange(since, until);
  const query = DeliveryModel.of(ctx).where({ webhookId: webhook.id });
  if (status) query.where({ status });
  if (eventType) query.where({ eventType });
  if (since) query.where('createdAt', '>=', new Date(since));
  if (until) query.where('createdAt', '<', new Date(until));
  const list = { name: 'webhook_deliveries', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(query));
  return { items: rows.map((delivery) => delivery.present(ctx.ids)), nextCursor };
}

export async function getDelivery(ctx: OrganizationContext, input: DeliveryId): Promise<WebhookDeliveryDetails> {
  const webhook = await findWebhook(ctx, input.webhookId);
  const delivery = await findDelivery(ctx, webhook, input.deliveryId);
  const attempts = await readRows(
    AttemptModel.of(ctx).where({ deliveryId: delivery.id }).orderBy('number', 'desc').limit(SHOWN_ATTEMPTS),
  );
  const attemptLog = attempts.map((attempt) => attempt.present());
  const shown = delivery.present(ctx.ids);
  if (mayRead(ctx, delivery)) return { ...shown, payload: await payloadOf(ctx, webhook, delivery), attemptLog };
  return { ...shown, payload: null, attemptLog: attemptLog.map((attempt) => ({ ...attempt, responseBody: null })) };
}

/** Examples are for everyone. */
function mayRead({ ports, organization }: OrganizationContext, { payload, eventType }: DeliveryModel): boolean {
  const permission = ports.eventTypes.get(eventType)?.permission;
  return payload !== null || permission === undefined || organization.permissions.has(permission);
}

/** Sends it now, and begins the schedule anew. */
export async function retryDelivery(ctx: OrganizationContext, input: DeliveryId): Promise<WebhookDelivery> {
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'webhooks:update');
    const webhook = await findWebhook(ctx, input.webhookId);
    const delivery = await findDelivery(ctx, webhook, input.deliveryId, { lock: true });
    if (delivery.status === 'SUCCEEDED') throw new ApiError('delivery_already_succeeded');
    if (!webhook.enabled) throw new ApiError('webhook_disabled');
    const [retried] = await DeliveryModel.of(ctx)
      .where({ webhookId: webhook.id, id: delivery.id })
      .patch({ status: 'PENDING', step: 0, dueAt: ctx.now, settledAt: null })
      .returning('*');
    await makeDue(ctx.db, delivery, ctx.now);
    endPauseAfterCommit(ctx, webhook.id);
    return retried!.present(ctx.ids);
  });
}

/** Examples are numbered at random from here on, far from the numbers of events. */
const EXAMPLES_FROM = 2 ** 52;
const EXAMPLES = 2 ** 47;

/** The example of the type, to this webhook alone. It is no event: no other reader sees it. */
export async function testWebhook(ctx: OrganizationContext, input: TestWebhook): Promise<WebhookDelivery> {
  const type = visibleEvents(ctx.ports.eventTypes).find(({ name }) => name === input.eventType);
  if (!type)
    throw new ApiError('unknown_event_type', {
      detail: `\`${input.eventType}\` is no event type: a test sends the example of one of GET /api/v1/webhooks/event-types.`,
    });
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'webhooks:test');
    const webhook = await findWebhook(ctx, input.webhookId);
    if (!webhook.enabled) throw new ApiError('webhook_disabled');
    const delivery = await DeliveryModel.add(ctx, {
      webhookId: webhook.id,
      eventId: EXAMPLES_FROM + randomInt(EXAMPLES),
      eventType: type.name,
      payload: z.record(z.string(), z.unknown()).parse(type.example),
      status: 'PENDING',
      dueAt: ctx.now,
      createdAt: ctx.now,
    });
    await makeDue(ctx.db, delivery, ctx.now);
    endPauseAfterCommit(ctx, webhook.id);
    return delivery.present(ctx.ids);
  });
}

/** Counts what has failed in the range, and has a job send it again. */
export async function recoverWebhook(ctx: OrganizationContext, input: RecoverWebhook): Promise<Recovery> {
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'webhooks:update');
    const webhook = await findWebhook(ctx, input.webhookId);
    if (input.since === undefined)
      throw new ApiError('time_range_unbounded', { errors: [{ path: 'since', message: 'is missing' }] });
    const until = input.until !== undefined && input.until < iso(ctx.now) ? input.until : iso(ctx.now);
    assertRange(input.since, until);
    const since = new Date(input.since);
    if (since.getTime() < ctx.now.getTime() - RECOVERABLE_MS)
      throw new ApiError('time_range_too_long', {
        errors: [{ path: 'since', message: 'must be within the last 30 days: older deliveries are not kept' }],
      });
    const count = await DeliveryModel.of(ctx)
      .where({ webhookId: webhook.id, status: 'FAILED' })
      .where('createdAt', '>=', since)
      .where('createdAt', '<', new Date(until))
      .resultSize();
    if (input.dryRun) return { jobId: null, count };
    if (!webhook.enabled) throw new ApiError('webhook_disabled');
    const number = await enqueueNumbered(ctx, recoverDeliveries, {
      organizationId: ctx.organization.id,
      webhookId: webhook.id,
      since: iso(since),
      until,
      requestedAt: iso(ctx.now),
      count,
    });
    endPauseAfterCommit(ctx, webhook.id);
    return { jobId: ctx.ids.encode('job', number), count };
  });
}

async function findDelivery(
  ctx: OrganizationContext,
  webhook: WebhookModel,
  deliveryId: string,
  { lock = false } = {},
): Promise<DeliveryModel> {
  const id = ctx.ids.decode('dlv', deliveryId);
  const find = () => {
    const query = DeliveryModel.of(ctx).findOne({ id, webhookId: webhook.id });
    return lock ? query.forUpdate() : query;
  };
  const delivery = (await find()) ?? (await find()); // settled while we waited for its lock, it is another row
  if (!delivery) throw new ApiError('not_found');
  return delivery;
}

async function payloadOf(ctx: OrganizationContext, webhook: WebhookModel, delivery: DeliveryModel): Promise<unknown> {
  const event =
    delivery.payload === null
      ? await ctx.db('events').where({ organizationId: ctx.organization.id, id: delivery.eventId }).first('data')
      : undefined;
  return bodyOf(ctx.ports, { ...delivery, eventVersion: webhook.eventVersion, data: event?.data ?? null });
}

function assertRange(since: string | undefined, until: string | undefined): void {
  if (since !== undefined && until !== undefined && until <= since)
    throw new ApiError('time_range_reversed', {
      errors: [{ path: 'until', message: 'must be later than `since`' }],
    });
}
