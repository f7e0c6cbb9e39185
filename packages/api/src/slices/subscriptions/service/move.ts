import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { forgetAfterCommit } from '../../../pipeline/actor-cache.ts';
import { organizationOnce } from '../../organizations/service/find.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { soldAt } from '../../plans/service/read.ts';
import { SubscriptionModel } from '../model.ts';
import type { Subscription } from '../schemas.ts';
import { entitledUntil, nextStep, type Timed, TRANSITIONS } from '../state.ts';
import { presentSubscription } from './present.ts';
import { rulesOf } from './rules.ts';

export type TenantContext = Context & Tenancy;
type SubscriptionEvent = EventType<z.ZodType<Subscription>>;
type Fields = Partial<Omit<SubscriptionModel, 'id' | 'organizationId' | 'version' | 'dueAt' | 'facts' | 'primaryKey'>>;

/** Locks the organization before its subscription: the order of all that changes one. */
export async function lockSubscription(ctx: TenantContext, id?: number): Promise<SubscriptionModel | undefined> {
  await lockOrganization(ctx);
  if (id !== undefined) return SubscriptionModel.find(ctx, { id }, 'for update');
  return SubscriptionModel.of(ctx).orderBy('id', 'desc').first().forUpdate();
}

/**
 * A locked subscription with these fields: with what is due next, the plan of its organization, and the event. Nothing
 * else changes one.
 */
export async function move(
  ctx: TenantContext,
  before: SubscriptionModel,
  fields: Fields,
  type?: SubscriptionEvent,
): Promise<SubscriptionModel> {
  const { status = before.status } = fields;
  if (status !== before.status && !TRANSITIONS[before.status].includes(status))
    throw new Error(`a subscription does not become ${status} after ${before.status}`);
  const after = await change(ctx, before, { ...fields, dueAt: dueAt(ctx, { ...before, ...fields }) });
  if (after !== before) await follow(ctx, after, before, type);
  return after;
}

/** A new subscription. */
export async function begin(
  ctx: TenantContext,
  fields: Fields & Timed,
  type: SubscriptionEvent,
): Promise<SubscriptionModel> {
  const row = { ...fields, provider: fields.provider ?? 'manual' };
  const added = await SubscriptionModel.add(ctx, { ...row, dueAt: dueAt(ctx, row) });
  await follow(ctx, added, undefined, type);
  return added;
}

const dueAt = (ctx: TenantContext, row: Timed & Pick<SubscriptionModel, 'provider'>): Date | null =>
  nextStep(row, rulesOf(ctx, row.provider))?.at ?? null;

async function follow(
  ctx: TenantContext,
  after: SubscriptionModel,
  before: SubscriptionModel | undefined,
  type: SubscriptionEvent | undefined,
): Promise<void> {
  // The plan of an organization whose subscription has ended is that of the next one.
  if (!before?.endedAt) await cachePlan(ctx, after);
  if (!type) return;
  await record(ctx, type, {
    target: after,
    ...(before && { before }),
    after,
    data: await presentSubscription(ctx, after),
  });
}

/** The plan that counts now, in the row that every call reads, and when it ends by the clock. */
async function cachePlan(ctx: TenantContext, row: SubscriptionModel): Promise<void> {
  if (row.status === 'INCOMPLETE' || row.status === 'EXPIRED') return; // it never counted
  const { id } = ctx.organization;
  const { DEFAULT_PLAN } = ctx.ports.env;
  const before = await organizationOnce(ctx, id); // locked before its subscription
  const until = entitledUntil(row, rulesOf(ctx, row.provider));
  const isEntitled = until !== null && until > ctx.now;
  const { plan } = await soldAt(ctx, row.priceId);
  const after = await change(
    ctx,
    before,
    isEntitled
      ? { plan: plan.code, planUntil: until, planAfter: DEFAULT_PLAN }
      : { plan: DEFAULT_PLAN, planUntil: null, planAfter: null },
  );
  if (after === before) return;
  organizationOnce.keep(ctx, id, after);
  forgetAfterCommit(ctx, [`organization:${id}`]);
}
