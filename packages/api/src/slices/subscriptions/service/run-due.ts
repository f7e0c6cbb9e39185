import { execute, type Statement } from '@rentapi/platform/database';
import pLimit from 'p-limit';
import { type Context, within } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { selectRows } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { forgetAfterCommit } from '../../../pipeline/actor-cache.ts';
import { lockAccountOnce } from '../../billing/service/currency.ts';
import { numberInvoice } from '../../invoices/service/finalise.ts';
import { findInvoice, lockInvoice } from '../../invoices/service/find.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { organizationOnce } from '../../organizations/service/find.ts';
import { sharedTransaction } from '../../organizations/service/shared-transaction.ts';
import { soldAt } from '../../plans/service/read.ts';
import { SubscriptionPastDue, SubscriptionTrialEnding, SubscriptionUpdated } from '../events.ts';
import { SubscriptionModel } from '../model.ts';
import { dunningStepAt, nextStep, type StepKind } from '../state.ts';
import { advancePeriod } from './advance-period.ts';
import { priceNextPeriod, tryCollect } from './bill.ts';
import { end, lapseChange, NO_PENDING } from './cancel.ts';
import { closeUsage } from './close-usage.ts';
import { grantMonth } from './grant-credits.ts';
import { mailSubscription } from './mail.ts';
import { move, type TenantContext } from './move.ts';
import { rulesOf } from './rules.ts';
import { savedMethodOf } from './saved-method.ts';
import { boughtBy } from './sold.ts';
import { setUsageTerms } from './usage-periods.ts';

const BATCH = 200;
/** When so many have failed, the rest would as well. */
const MAX_FAILURES = 20;
/** Of one subscription in one run: after a longer pause, the rest is done in the next. */
const MAX_STEPS = 100;

const DUE: Statement = {
  text: `
    /* across organizations */
    select organization_id as "organizationId", id, due_at as "dueAt" from subscriptions
    where due_at <= $1 and (due_at, id) > ($2, $3) order by due_at, id limit $4`,
};

/**
 * Does all that is due by the clock of the call, each step once and in order, however late the call comes. One that
 * fails keeps none of the others waiting; the run then fails as well, and is repeated.
 */
export async function runDue(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  // An organization has one that is due, so that they do not wait for each other's rows.
  const gate = pLimit(ctx.ports.env.RENEWALS_AT_ONCE);
  const failures: unknown[] = [];
  let after = { dueAt: new Date(0), id: 0 };
  for (let found = BATCH; found === BATCH && !signal.aborted; touch()) {
    const due = await execute<{ organizationId: number; id: number; dueAt: Date }>(ctx.db, DUE, [
      ctx.now,
      after.dueAt,
      after.id,
      BATCH,
    ]);
    await gate.map(due, async ({ organizationId, id }) => {
      try {
        if (!signal.aborted) await runOne(within(ctx, organizationId), id);
      } catch (error) {
        failures.push(error);
      }
      touch();
    });
    if (failures.length >= MAX_FAILURES) break;
    found = due.length;
    after = due.at(-1) ?? after;
  }
  await endPlans(ctx, { signal, touch });
  await closeUsage(ctx, { signal, touch });
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} subscriptions could not be moved on`);
}

/** Locks the organization before its subscription, and neither where another run, or a call, has it. */
const LOCK = `
  select * from subscriptions where organization_id = $1 and id = $2
    and exists (select from organizations where id = $1 for no key update skip locked)
  for update`;

/** All steps of one subscription that are due, each committed before the next. */
async function runOne(ctx: TenantContext, id: number): Promise<void> {
  for (let steps = 0, isMore = true; isMore && steps < MAX_STEPS; steps++) {
    isMore = await sharedTransaction(ctx, async (ctx) => {
      const [row] = await selectRows(ctx.db, SubscriptionModel, LOCK, [ctx.organization.id, id]);
      const step = row && nextStep(row, rulesOf(ctx, row.provider));
      if (!row || !step || step.at > ctx.now) return false;
      const { dueAt } = await STEPS[step.kind](ctx, row);
      return dueAt !== null && dueAt <= ctx.now;
    });
  }
}

/** Returns the row after it. */
type TakeStep = (ctx: TenantContext, row: SubscriptionModel) => Promise<SubscriptionModel>;

const STEPS: Readonly<Record<StepKind, TakeStep>> = {
  CANCEL: (ctx, row) => end(ctx, row, { status: 'CANCELED', at: row.cancelAt ?? ctx.now }),
  EXPIRE: (ctx, row) => end(ctx, row, { status: 'EXPIRED', at: ctx.now }),
  LAPSE_CHANGE: lapseChange,
  GRANT_CREDITS: grantMonth,
  NOTICE_TRIAL: noticeTrial,
  RENEW: renew,
  MISS_PAYMENT: missPayment,
  DUN: dun,
  GIVE_UP: giveUp,
};

async function noticeTrial(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const noticed = await move(ctx, row, { trialNoticedAt: ctx.now }, SubscriptionTrialEnding);
  // One that was found after its end is charged at once: a mail would come too late.
  if (row.trialEnd && row.trialEnd > ctx.now) await mailSubscription(ctx, noticed, 'TRIAL_ENDING', row.trialEnd);
  return noticed;
}

/** Bills the next period, with what was to follow at its beginning. */
async function renew(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const [{ deletedAt }] = await Promise.all([
    organizationOnce(ctx, ctx.organization.id),
    soldAt(ctx, row.priceId),
    savedMethodOf(ctx, row.provider),
    lockAccountOnce(ctx),
  ]);
  if (deletedAt) return end(ctx, row, { status: 'CANCELED', at: row.periodEnd });
  const kept = await lapseChange(ctx, row);
  const renewed = await applyPending(ctx, kept);
  const priced = await priceNextPeriod(ctx, renewed);
  const { invoice } = priced;
  if (invoice.status === 'PAID') {
    const advanced = await advancePeriod(ctx, renewed);
    await numberInvoice(ctx, priced);
    return advanced;
  }
  const waiting = await move(ctx, renewed, { status: 'ACTIVE', renewalInvoiceId: invoice.id });
  const { plan } = await boughtBy(ctx, waiting);
  // The number is asked for last: others wait for the next one.
  const [isTried] = await Promise.all([tryCollect(ctx, waiting, invoice, plan.name), numberInvoice(ctx, priced)]);
  return isTried ? waiting : missPayment(ctx, waiting);
}

async function applyPending(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const { pendingPriceId, pendingQuantity, pendingProvider } = row;
  if (pendingPriceId === null && pendingProvider === null) return row;
  const before = await boughtBy(ctx, row);
  const priceId = pendingPriceId ?? row.priceId;
  const quantity = pendingQuantity ?? row.quantity;
  const after = await boughtBy(ctx, { priceId, quantity });
  const isNewInterval = before.price.interval !== after.price.interval;
  const newAnchor = { anchorAt: row.periodEnd, periodIndex: -1, creditsIndex: 0, creditsDueAt: row.periodEnd };
  const fields = {
    priceId,
    quantity,
    provider: pendingProvider ?? row.provider,
    ...NO_PENDING,
    ...(isNewInterval && newAnchor),
  };
  if (priceId !== row.priceId) await setUsageTerms(ctx, row.id, { from: row.periodEnd, priceId });
  return move(ctx, row, fields, SubscriptionUpdated);
}

/** A payment is missing: access goes on for a while, and it is tried again on some days. */
export async function missPayment(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const after = await move(
    ctx,
    row,
    { status: 'PAST_DUE', pastDueSince: ctx.now, dunningStep: 1 },
    SubscriptionPastDue,
  );
  if (row.provider === 'manual') await mailOverdue(ctx, after);
  else if (!(await savedMethodOf(ctx, row.provider))) await mailSubscription(ctx, after, 'METHOD_NEEDED', ctx.now);
  return after;
}

/** Tries again, unless the method was refused for good: then a mail asks for another. Either mails once. */
async function dun(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const dunningStep = dunningStepAt(row.pastDueSince ?? ctx.now, rulesOf(ctx, row.provider), ctx.now);
  const after = await move(ctx, row, { dunningStep: Math.max(dunningStep, row.dunningStep + 1) });
  if (row.renewalInvoiceId === null) return after;
  if (row.provider === 'manual') {
    await mailOverdue(ctx, after);
    return after;
  }
  const method = await savedMethodOf(ctx, row.provider);
  const isUseless = !method || method.externalId === row.declinedMethod;
  const invoice = await lockInvoice(ctx, row.renewalInvoiceId);
  const { plan } = await boughtBy(ctx, after);
  if (isUseless || !(await tryCollect(ctx, after, invoice, plan.name)))
    await mailSubscription(ctx, after, 'METHOD_NEEDED', ctx.now);
  return after;
}

/** A transfer cannot be tried again: its payer is asked for it. */
async function mailOverdue(ctx: TenantContext, row: SubscriptionModel): Promise<void> {
  if (row.renewalInvoiceId === null) return;
  const { dueAt } = await findInvoice(ctx, row.renewalInvoiceId);
  await mailSubscription(ctx, row, 'TRANSFER_OVERDUE', dueAt ?? ctx.now);
}

async function giveUp(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const ended = await end(ctx, row, { status: 'CANCELED', at: ctx.now });
  await mailSubscription(ctx, ended, 'GIVEN_UP', ctx.now);
  return ended;
}

const OVER: Statement = {
  text: 'select id from organizations where plan_until <= $1 and id > $2 order by id limit $3',
};

/** Plans that have ended by the clock: calls know already, and now the rows say it too. */
async function endPlans(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  for (let after = 0, found = BATCH; found === BATCH && !signal.aborted; touch()) {
    const over = await execute<{ id: number }>(ctx.db, OVER, [ctx.now, after, BATCH]);
    for (const { id } of over) await endPlan(ctx, id);
    found = over.length;
    after = over.at(-1)?.id ?? 0;
  }
}

async function endPlan(ctx: Context, id: number): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const before = await OrganizationModel.query(ctx.db).findById(id).forNoKeyUpdate().throwIfNotFound();
    if (!before.planUntil || before.planUntil > ctx.now || !before.planAfter) return;
    await change(ctx, before, { plan: before.planAfter, planUntil: null, planAfter: null });
    forgetAfterCommit(ctx, [`organization:${id}`]);
  });
}
