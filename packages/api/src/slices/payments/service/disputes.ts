import type { PaymentProvider, Dispute as ProviderDispute } from '@rentapi/payments/payment-provider';
import { insertRow } from '../../../data/rows.ts';
import { record } from '../../../events/record.ts';
import { noteFinding, resolveFinding } from '../../billing/service/findings.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentDisputed } from '../events.ts';
import { DisputeModel, PaymentModel } from '../model.ts';
import { fulfilmentOf, type TenantContext } from './fulfilment.ts';
import { postDispute } from './journal.ts';
import { dataOf, patch } from './rows.ts';

/**
 * Makes a dispute what it is at the provider: what its payment gave is frozen while it is open, thaws when it is won,
 * and is taken back, once, when it is lost. False where its status is a word that we do not know.
 */
export async function applyDispute(
  ctx: TenantContext,
  { name: provider }: PaymentProvider,
  paymentId: number,
  read: ProviderDispute,
): Promise<boolean> {
  await lockOrganization(ctx);
  const payment = await PaymentModel.of(ctx).findOne({ id: paymentId }).forUpdate().throwIfNotFound();
  const object = { kind: 'dispute', id: read.id } as const;
  const theirs = read.providerStatus;
  const { status } = read;
  if (status === null) {
    await noteFinding(ctx, { kind: 'UNKNOWN_WORD', provider, object, theirs });
    return false;
  }
  await resolveFinding(ctx, { kind: 'UNKNOWN_WORD', provider, object });
  const known = await DisputeModel.of(ctx).findOne({ provider, externalId: read.id }).forUpdate();
  const dispute = known ?? (await open(ctx, payment, read));
  if (dispute.status === status || status === 'OPEN') return true;
  if (dispute.status === 'OPEN') await end(ctx, payment, dispute, status);
  // What has ended stays so: staff decide about an appeal.
  else await noteFinding(ctx, { kind: 'DISPUTE_CHANGED', provider, object, theirs });
  return true;
}

async function open(ctx: TenantContext, payment: PaymentModel, read: ProviderDispute): Promise<DisputeModel> {
  const dispute = await insertRow(ctx.db, DisputeModel, {
    organizationId: payment.organizationId,
    paymentId: payment.id,
    provider: payment.provider,
    externalId: read.id,
    status: 'OPEN',
    ...read.amount,
    reason: read.reason,
    createdAt: ctx.now,
    updatedAt: ctx.now,
  });
  const data = { ...dataOf(ctx, payment), dispute: dispute.present(ctx.ids) };
  await record(ctx, PaymentDisputed, { target: dispute, after: dispute, data });
  await postDispute(ctx, dispute, 'DISPUTE_OPENED');
  await fulfilmentOf(ctx, payment).reverse(ctx, payment, 'dispute_opened', dispute.amountMinor);
  return dispute;
}

async function end(
  ctx: TenantContext,
  payment: PaymentModel,
  before: DisputeModel,
  status: 'WON' | 'LOST' | 'CLOSED',
): Promise<void> {
  const dispute = await patch(ctx, before, { status, endedAt: ctx.now });
  const data = { ...dataOf(ctx, payment), dispute: dispute.present(ctx.ids) };
  await record(ctx, PaymentDisputed, { target: dispute, before, after: dispute, data });
  const isLost = status === 'LOST';
  await postDispute(ctx, dispute, isLost ? 'DISPUTE_LOST' : 'DISPUTE_WON');
  await fulfilmentOf(ctx, payment).reverse(ctx, payment, isLost ? 'dispute_lost' : 'dispute_won', dispute.amountMinor);
}
