import type { PaymentProvider, Setup } from '@rentapi/payments/payment-provider';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { currencyOf } from '../../billing/service/currency.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { allowedReturnUrl } from '../../billing/service/return-url.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { PaymentMethodSetupStarted } from '../events.ts';
import { PaymentMethodModel } from '../model.ts';
import type { SetUpPaymentMethod, StartedSetup } from '../schemas.ts';
import { nextLook } from './apply-setup.ts';
import { drop, patch } from './rows.ts';
import { withCustomer } from './with-customer.ts';

export const MAX_METHODS = 50;
const COUNT = {
  text: `
    select count(*)::integer from payment_methods where organization_id = $1 and status <> 'REMOVED'`,
};
/** It decides which kinds of methods the page offers, where the organization has no currency yet. */
const CURRENCY = 'USD';

/** Begins to save a method. Its row is committed before the provider is called. */
export async function setUpMethod(ctx: OrganizationContext, input: SetUpPaymentMethod): Promise<StartedSetup> {
  const returnUrl = allowedReturnUrl(ctx, input.returnUrl);
  if (input.provider === 'manual') throw new ApiError('payment_method_not_saved_here');
  const provider = providerNamed(ctx, input.provider);
  const row = await transaction(ctx, (ctx) => addPending(ctx, provider));
  const setup = await begin(ctx, provider, row, returnUrl);
  const dueAt = nextLook(ctx, 0);
  const stored = await patch(ctx, row, { setupId: setup.id, actionUrl: setup.actionUrl, dueAt });
  return { method: stored.present(ctx.ids, ctx.now), actionUrl: setup.actionUrl! };
}

async function addPending(ctx: OrganizationContext, { name }: PaymentProvider): Promise<PaymentMethodModel> {
  const { count } = await lockAuthority(ctx, 'billing:manage', { counting: COUNT });
  assertRoom(count, MAX_METHODS, `An organization has at most ${MAX_METHODS} payment methods: remove one first.`);
  const row = await PaymentMethodModel.add(ctx, {
    provider: name,
    status: 'PENDING',
    dueAt: nextLook(ctx, 6), // if the process is killed before it has an id of the provider
    createdAt: ctx.now,
  });
  const data = { methodId: ctx.ids.encode('pmt', row.id) };
  await record(ctx, PaymentMethodSetupStarted, { target: row, after: row, data });
  return row;
}

async function begin(
  ctx: OrganizationContext,
  provider: PaymentProvider,
  row: PaymentMethodModel,
  returnUrl: string,
): Promise<Setup> {
  const reference = ctx.ids.encode('pmt', row.id);
  const currency = (await currencyOf(ctx)) ?? CURRENCY;
  try {
    return await withCustomer(ctx, provider, async (customerId, attempt) =>
      provider.startSetup({ key: `${reference}/${attempt}`, reference, customerId, currency, returnUrl }),
    );
  } catch (error) {
    await drop(ctx, row);
    throw error;
  }
}
