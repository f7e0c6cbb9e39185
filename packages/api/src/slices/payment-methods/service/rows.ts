import type { PaymentMethod as ProviderMethod, ProviderName } from '@rentapi/payments/payment-provider';
import { updateRow } from '../../../data/rows.ts';
import { record } from '../../../events/record.ts';
import { forgetUnknown } from '../../billing/service/findings.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentMethodAdded, PaymentMethodRemoved, PaymentMethodUpdated } from '../events.ts';
import { PaymentMethodModel } from '../model.ts';
import { forgetCustomer, rememberCustomer, type TenantContext } from './customers.ts';

/** The row with these fields. The methods are locked. */
export async function patch(
  ctx: TenantContext,
  row: PaymentMethodModel,
  changes: Partial<PaymentMethodModel>,
): Promise<PaymentMethodModel> {
  return updateRow(ctx.db, row, row.primaryKey, changes);
}

export async function drop(ctx: TenantContext, { id }: PaymentMethodModel): Promise<void> {
  await PaymentMethodModel.of(ctx).where({ id }).delete();
}

/** What is kept of a method at its provider: nothing that could be charged elsewhere. */
export const fieldsOf = ({ id, kind, brand, last4, expiresAt, fingerprint, customerId }: ProviderMethod) => ({
  externalId: id,
  customerId,
  kind,
  brand,
  last4,
  expiresAt,
  fingerprint,
});

/** From now on it can be charged. The first one is the default. */
export async function activate(
  ctx: TenantContext,
  row: PaymentMethodModel,
  fields: ReturnType<typeof fieldsOf>,
): Promise<PaymentMethodModel> {
  const isDefault = (await findDefault(ctx)) === undefined;
  const changes = { ...fields, status: 'ACTIVE', isDefault, actionUrl: null, dueAt: null } as const;
  const after = await patch(ctx, row, changes);
  if (fields.customerId !== null) await rememberCustomer(ctx, row.provider, fields.customerId);
  // Its own event may have come before this was known.
  await forgetUnknown(ctx, row.provider, { kind: 'method', id: fields.externalId });
  await record(ctx, PaymentMethodAdded, { target: after, after, data: after.present(ctx.ids, ctx.now) });
  return after;
}

export async function findDefault(ctx: TenantContext): Promise<PaymentMethodModel | undefined> {
  return await PaymentMethodModel.of(ctx).findOne({ isDefault: true });
}

export async function makeDefault(ctx: TenantContext, row: PaymentMethodModel): Promise<PaymentMethodModel> {
  if (row.isDefault) return row;
  const earlier = await findDefault(ctx);
  if (earlier) await patch(ctx, earlier, { isDefault: false });
  const after = await patch(ctx, row, { isDefault: true });
  await record(ctx, PaymentMethodUpdated, { target: after, before: row, after, data: after.present(ctx.ids, ctx.now) });
  return after;
}

/** It is not charged any more. In the place of the default comes the newest that is left and not expired. */
export async function recordRemoval(ctx: TenantContext, before: PaymentMethodModel): Promise<void> {
  const gone = { ...before.present(ctx.ids, ctx.now), default: false };
  await record(ctx, PaymentMethodRemoved, { target: before, before, data: gone });
  if (!before.isDefault) return;
  const left = await PaymentMethodModel.of(ctx)
    .where({ status: 'ACTIVE' })
    .whereNot({ id: before.id })
    .orderBy('id', 'desc');
  const next = left.find((method) => !method.isExpired(ctx.now));
  if (next) await makeDefault(ctx, next);
}

/** It is no longer there at its provider. */
export async function dropGone(ctx: TenantContext, row: PaymentMethodModel): Promise<void> {
  await drop(ctx, row);
  if (row.status === 'ACTIVE') await recordRemoval(ctx, row);
}

/** A customer that was deleted at the provider, with all its methods. */
export async function dropCustomer(ctx: TenantContext, provider: ProviderName, customerId: string): Promise<void> {
  await lockOrganization(ctx);
  await forgetCustomer(ctx, provider, customerId);
  for (const row of await PaymentMethodModel.of(ctx).where({ provider, customerId })) await dropGone(ctx, row);
}
