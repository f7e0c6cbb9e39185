import { createHash } from 'node:crypto';
import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { insertRow } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { currencyOf } from '../../billing/service/currency.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { allowedReturnUrl } from '../../billing/service/return-url.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { CreditPriceModel, CreditPurchaseModel, PaymentModel } from '../model.ts';
import type { PurchaseCredits, StartedPayment } from '../schemas.ts';
import { advance } from './charge.ts';
import { isReplaceable, openPayment } from './open.ts';
import { OPEN } from './rows.ts';

export const MAX_OPEN_PAYMENTS = 20;

/** Begins a payment for credits, and answers where the payer goes. */
export async function purchaseCredits(ctx: OrganizationContext, input: PurchaseCredits): Promise<StartedPayment> {
  const payment = await buyCredits(ctx, input);
  const { actionUrl } = payment.present(ctx.ids);
  return { payment: payment.present(ctx.ids), actionUrl };
}

/** The payment, as far as it has come without the payer. The provider is called after the commit of its row. */
export async function buyCredits(ctx: OrganizationContext, input: PurchaseCredits): Promise<PaymentModel> {
  const returnUrl = allowedReturnUrl(ctx, input.returnUrl);
  providerNamed(ctx, input.provider);
  const opened = await transaction(ctx, (ctx) => open(ctx, { ...input, returnUrl }));
  return opened.isOpen ? advance(ctx, opened.id) : opened;
}

async function open(ctx: OrganizationContext, input: PurchaseCredits): Promise<PaymentModel> {
  await lockAuthority(ctx, 'billing:manage');
  const requestHash = hashOfRequest(ctx);
  const repeated = requestHash && (await CreditPurchaseModel.of(ctx).findOne({ requestHash }));
  if (repeated) return newestOf(ctx, repeated);
  const pack = await findPack(ctx, input);
  const present = await findOpen(ctx, pack);
  const same = present.find((payment) => isSame(payment, input));
  if (same) return same;
  const replaced = present.find(isReplaceable);
  if (!replaced) {
    const detail = `An organization has at most ${MAX_OPEN_PAYMENTS} payments that wait: pay one, or wait until they end.`;
    const open = PaymentModel.of(ctx).where({ purpose: 'CREDITS' }).whereIn('status', OPEN);
    assertRoom(await open.resultSize(), MAX_OPEN_PAYMENTS, detail);
  }
  const subjectId = replaced?.subjectId ?? (await addPurchase(ctx, pack, requestHash)).id;
  const { provider, returnUrl } = input;
  const { credits, amountMinor, currency } = pack;
  const description = `${credits.toLocaleString('en-US')} credits`;
  const amount = { amountMinor, currency };
  return openPayment(
    ctx,
    { purpose: 'CREDITS', subjectId, amount, provider, description, returnUrl },
    { advances: true },
  );
}

/** At the price of now, in the currency in which the organization pays. */
async function findPack(ctx: OrganizationContext, { credits, currency }: PurchaseCredits): Promise<CreditPriceModel> {
  const fixed = await currencyOf(ctx);
  if (fixed !== null && currency !== undefined && currency !== fixed) {
    throw new ApiError('currency_fixed', { detail: `This organization pays in ${fixed}: leave \`currency\` out.` });
  }
  const wanted = currency ?? fixed;
  const query = CreditPriceModel.query(ctx.db).where({ credits }).whereNull('archivedAt').orderBy('id');
  if (wanted !== null) query.where({ currency: wanted });
  const pack = await query.first();
  if (pack) return pack;
  const inCurrency = wanted === null ? '' : ` in ${wanted}`;
  throw new ApiError('credit_pack_unknown', { detail: `There is no pack of ${credits} credits${inCurrency}.` });
}

const OPEN_PAYMENTS: Statement = {
  text: `
    select payment.id from payments payment
    join credit_purchases purchase on purchase.organization_id = $1 and purchase.id = payment.subject_id
    where payment.organization_id = $1 and payment.purpose = 'CREDITS'
      and payment.status in ('CREATED', 'REQUIRES_ACTION', 'PENDING')
      and purchase.credits = $2 and purchase.currency = $3 and purchase.amount_minor = $4
    order by payment.id desc limit ${MAX_OPEN_PAYMENTS}`,
};

/** Of the same pack. */
async function findOpen(ctx: OrganizationContext, pack: CreditPriceModel): Promise<PaymentModel[]> {
  const values = [ctx.organization.id, pack.credits, pack.currency, pack.amountMinor];
  const found = await execute<{ id: number }>(ctx.db, OPEN_PAYMENTS, values);
  const ids = found.map(({ id }) => id);
  return PaymentModel.of(ctx).whereIn('id', ids).orderBy('id', 'desc').forUpdate();
}

/** A payer who begins again goes to the same page: two pages could both be paid. */
const isSame = (payment: PaymentModel, { provider, returnUrl }: PurchaseCredits): boolean =>
  isReplaceable(payment) && payment.provider === provider && payment.returnUrl === returnUrl;

function addPurchase(
  ctx: OrganizationContext,
  { credits, currency, amountMinor }: CreditPriceModel,
  requestHash: Buffer | null,
) {
  return insertRow(ctx.db, CreditPurchaseModel, {
    organizationId: ctx.organization.id,
    credits,
    currency,
    amountMinor,
    requestHash,
    createdAt: ctx.now,
  });
}

async function newestOf(ctx: OrganizationContext, { id }: CreditPurchaseModel): Promise<PaymentModel> {
  const found = await PaymentModel.of(ctx).where({ purpose: 'CREDITS', subjectId: id }).orderBy('id', 'desc').first();
  return found!; // made in the transaction of the purchase
}

/** A repeat is the same purchase, also where the first one was killed before its answer was kept. */
function hashOfRequest({ request, actor }: OrganizationContext): Buffer | null {
  if (request.idempotencyKey === undefined) return null;
  const caller = actor.kind === 'user' ? `user ${actor.user.id}` : `key ${actor.key.id}`;
  return createHash('sha256').update(`${caller}\n${request.idempotencyKey}`).digest();
}
