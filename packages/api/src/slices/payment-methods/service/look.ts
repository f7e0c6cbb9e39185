import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { ProviderError } from '@rentapi/payments/provider-error';
import { execute, type Statement } from '@rentapi/platform/database';
import { z } from 'zod';
import { type Context, within } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { job, type RunControl } from '../../../jobs/job.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentMethodModel } from '../model.ts';
import { applySetup, nextLook } from './apply-setup.ts';
import type { TenantContext } from './customers.ts';
import { drop, patch } from './rows.ts';

/** Does at the provider what is to be done for a method. */
export const settleMethod = job({
  name: 'payment_methods.settle',
  queue: 'subscriptions',
  data: z.strictObject({ organizationId: z.int(), methodId: z.int() }),
  async run(ctx, { organizationId, methodId }) {
    await settle(within(ctx, organizationId), methodId);
  },
});

/**
 * Reads the setup of one that is pending, and removes at its provider one that was removed here. A provider that fails
 * is called again when it is due.
 */
export async function settle(ctx: TenantContext, id: number): Promise<PaymentMethodModel | undefined> {
  if (ctx.db.isTransaction) throw new Error('no provider is called in a transaction');
  const row = await PaymentMethodModel.of(ctx).findOne({ id });
  const provider = row && ctx.ports.payments.get(row.provider);
  if (!row || !provider) return row; // its settings were taken away; what is left waits for the day they come back
  try {
    if (row.status === 'PENDING') return await finishSetup(ctx, provider, row);
    if (row.status === 'REMOVED') return await removeThere(ctx, provider, row);
    return row;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return postpone(ctx, row, error);
  }
}

async function finishSetup(ctx: TenantContext, provider: PaymentProvider, { id, setupId }: PaymentMethodModel) {
  const setup = setupId === null ? null : await readSetup(provider, setupId);
  return transaction(ctx, (ctx) => applySetup(ctx, id, setup));
}

async function readSetup(provider: PaymentProvider, setupId: string) {
  try {
    return await provider.finishSetup(setupId);
  } catch (error) {
    if (error instanceof ProviderError && error.outcome === 'refused') return null;
    throw error;
  }
}

async function removeThere(ctx: TenantContext, provider: PaymentProvider, row: PaymentMethodModel) {
  await provider.removeMethod(row.externalId!); // it was ACTIVE
  await drop(ctx, row);
  return undefined;
}

async function postpone(ctx: TenantContext, { id }: PaymentMethodModel, error: ProviderError) {
  const method = ctx.ids.encode('pmt', id);
  ctx.ports.log.warn({ provider: error.message, method }, 'a payment method waits for its provider');
  return transaction(ctx, async (ctx) => {
    await lockOrganization(ctx);
    const row = await PaymentMethodModel.of(ctx).findOne({ id });
    if (!row || row.dueAt === null) return row;
    const looks = row.looks + 1;
    return patch(ctx, row, { looks, dueAt: nextLook(ctx, looks) });
  });
}

const BATCH = 100;
const DUE: Statement = {
  text: `
    /* across organizations */
    select organization_id as "organizationId", id, provider from payment_methods
    where due_at <= $1 order by due_at limit ${BATCH}`,
};

/** Those whose event was lost, whose job has died, or whose provider says nothing by itself. */
export async function settleDue(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  for (let found = BATCH; found === BATCH && !signal.aborted; ) {
    const due = await execute<{ organizationId: number; id: number; provider: string }>(ctx.db, DUE, [ctx.now]);
    for (const { organizationId, id } of due) {
      if (signal.aborted) return;
      await settle(within(ctx, organizationId), id);
      touch();
    }
    found = due.length;
  }
}
