import { updateRow } from '../../../data/rows.ts';
import type { TenantModel } from '../../../data/tenant-model.ts';
import type { PaymentModel } from '../model.ts';
import type { TenantContext } from './fulfilment.ts';

/** Not ended: of one subject, at most one payment is. */
export const OPEN = ['CREATED', 'REQUIRES_ACTION', 'PENDING'] as const;

interface Dated extends TenantModel {
  updatedAt: Date;
}

/** The row with these fields, which the caller has locked. */
export async function patch<M extends Dated>(ctx: TenantContext, row: M, changes: Partial<M>): Promise<M> {
  return updateRow(ctx.db, row, row.primaryKey, { ...changes, updatedAt: ctx.now });
}

/** A payment in an event that shows no more of it. */
export const referenceOf = ({ ids }: TenantContext, { id, organizationId }: PaymentModel) => ({
  organizationId: ids.encode('org', organizationId),
  paymentId: ids.encode('pay', id),
});

/** The payment as events show it. */
export const dataOf = ({ ids }: TenantContext, payment: PaymentModel) => ({
  organizationId: ids.encode('org', payment.organizationId),
  payment: payment.present(ids),
});
