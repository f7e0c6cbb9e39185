import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { executeSoon, transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { type findBillingAccount, fixCurrency } from '../../billing/service/currency.ts';
import { organizationName } from '../../organizations/service/find.ts';
import { meetOthers } from '../../organizations/service/shared-transaction.ts';
import { InvoiceFinalized, InvoicePaid } from '../events.ts';
import { type InvoiceLineModel, InvoiceModel } from '../model.ts';
import type { Party } from '../schemas.ts';
import { mailInvoice } from './announce.ts';
import { beginInvoice, insertLines, type NewInvoice } from './draft.ts';
import { linesOf, lockInvoice } from './find.ts';
import { postInvoice } from './post.ts';
import { renderInvoice } from './render.ts';
import { sellerOf } from './seller.ts';
import { taxLines, taxOf } from './tax.ts';

const DAY_MS = 86_400_000;

/**
 * Makes a draft final, in the caller's transaction: it gets its number, its tax, and the names of both sides as they
 * are now. An invoice that is final already stays as it is.
 */
export async function finaliseInvoice(ctx: Context & Tenancy, id: number): Promise<InvoiceModel> {
  return transaction(ctx, async (ctx) => numberInvoice(ctx, await priceInvoice(ctx, await lockInvoice(ctx, id))));
}

/** A draft, and the final invoice that it becomes with its number: not stored yet, but in the books. */
export interface PricedInvoice {
  draft: InvoiceModel;
  invoice: InvoiceModel;
}

/**
 * Everything of a final invoice but its number, for a transaction that has made or locked the draft, and takes the
 * number last: others wait for the next one.
 */
export async function priceInvoice(ctx: Context & Tenancy, draft: InvoiceModel): Promise<PricedInvoice> {
  if (draft.status !== 'DRAFT') return { draft, invoice: draft };
  const account = await fixCurrency(ctx, draft.currency);
  const [lines, balance] = await Promise.all([linesOf(ctx, draft.id), balanceOf(ctx)]);
  const taxed = await taxesOf(ctx, account, lines);
  await setTaxes(ctx, lines, taxed.rates, taxed.taxes);
  return price(ctx, draft, lines, { ...taxed, balance });
}

/** The same for an invoice that does not exist yet. For a period that has one, that one. */
export async function makeInvoice(ctx: Context & Tenancy, given: NewInvoice): Promise<PricedInvoice> {
  const account = await fixCurrency(ctx, given.currency);
  const [{ invoice: draft, isNew }, taxed, balance] = await Promise.all([
    beginInvoice(ctx, given),
    taxesOf(ctx, account, given.lines),
    balanceOf(ctx),
  ]);
  if (!isNew) return priceInvoice(ctx, draft);
  const { rates, taxes } = taxed;
  const lines = given.lines.map((line, at) => ({ ...line, taxRatePpm: rates[at]!, taxMinor: taxes[at]! }));
  await insertLines(ctx, draft.id, lines, 0);
  return price(ctx, draft, lines, { ...taxed, balance });
}

interface Basis extends Pick<Awaited<ReturnType<typeof taxesOf>>, 'seller' | 'buyer' | 'treatment' | 'taxes'> {
  /** Of the customer, whose account is locked. */
  balance: number;
}

async function price(
  ctx: Context & Tenancy,
  draft: InvoiceModel,
  lines: readonly Taxable[],
  { balance, seller, buyer, treatment, taxes }: Basis,
): Promise<PricedInvoice> {
  const subtotalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const taxMinor = taxes.reduce((sum, tax) => sum + tax, 0);
  const totalMinor = subtotalMinor + taxMinor;
  const balanceMinor = fromBalance(totalMinor, balance, minimumOf(ctx, draft.currency));
  const isPaid = balanceMinor === totalMinor;
  const dueDays = draft.collection === 'AUTOMATIC' ? 0 : ctx.ports.env.INVOICE_DUE_DAYS;
  const invoice = InvoiceModel.hydrate({
    ...draft,
    status: isPaid ? 'PAID' : 'OPEN',
    taxTreatment: treatment,
    subtotalMinor,
    taxMinor,
    totalMinor,
    balanceMinor,
    seller,
    buyer,
    issuedAt: ctx.now,
    dueAt: new Date(ctx.now.getTime() + dueDays * DAY_MS),
    ...(isPaid && { paidAt: ctx.now }),
  });
  await postInvoice(ctx, invoice);
  return { draft, invoice };
}

/** Stores it with the next number, and says so. */
export async function numberInvoice(ctx: Context & Tenancy, { draft, invoice }: PricedInvoice): Promise<InvoiceModel> {
  if (draft.status !== 'DRAFT') return draft;
  const final = await change(ctx, draft, { ...invoice, ...(await takeNumber(ctx, ctx.ports.env.INVOICE_SERIES)) });
  const isPaid = final.status === 'PAID';
  await announce(ctx, draft, final);
  if (isPaid) await record(ctx, InvoicePaid, { target: final, after: final, data: final.summary(ctx.ids) });
  if (isPaid && final.totalMinor !== 0) await mailInvoice(ctx, final, 'PAID');
  else if (!isPaid && final.collection === 'MANUAL') await mailInvoice(ctx, final, 'OPEN');
  return final;
}

interface Taxable {
  amountMinor: number;
  taxRatePpm?: number | null;
}

/** The tax of lines, and both sides that it depends on, as they are now. */
export async function taxesOf(
  ctx: Context & Tenancy,
  account: Awaited<ReturnType<typeof findBillingAccount>>,
  lines: readonly Taxable[],
) {
  const seller = sellerOf(ctx.ports.env);
  const { name = null, address = null, taxId = null } = account ?? {};
  const buyer: Party = {
    name: name ?? (await organizationName(ctx, ctx.organization.id)),
    address: address && { lines: printed(address), country: address.country },
    taxId,
  };
  const { treatment, ratePpm } = taxOf(seller, buyer, new Map(ctx.ports.env.TAX_RATES));
  const rates = lines.map(({ taxRatePpm }) => (treatment === 'STANDARD' ? (taxRatePpm ?? ratePpm) : 0));
  const taxes = taxLines(lines.map(({ amountMinor }, at) => ({ amountMinor, ratePpm: rates[at]! })));
  return { seller, buyer, treatment, rates, taxes };
}

/** What follows from every document that has become final. */
export async function announce(ctx: Context & Tenancy, before: InvoiceModel, final: InvoiceModel): Promise<void> {
  await record(ctx, InvoiceFinalized, { target: final, before, after: final, data: final.summary(ctx.ids) });
  await enqueue(ctx, renderInvoice, { organizationId: ctx.organization.id, invoiceId: final.id });
}

const TAKE_NUMBER: Statement = {
  name: 'take_invoice_number',
  text: `
    insert into invoice_series as taken (series, last_number) values ($1, 1)
    on conflict (series) do update set last_number = taken.last_number + 1
    returning last_number as number`,
};

/** Holds the series until the transaction ends, so that one that fails takes no number. */
export async function takeNumber(ctx: Context, series: string): Promise<{ series: string; number: number }> {
  await meetOthers(ctx);
  const [taken] = await execute<{ number: number }>(ctx.db, TAKE_NUMBER, [series]);
  return { series, number: taken!.number };
}

const SET_TAXES: Statement = {
  name: 'set_invoice_taxes',
  text: `
    update invoice_lines set tax_rate_ppm = taxed.rate, tax_minor = taxed.tax
    from unnest($2::bigint[], $3::integer[], $4::bigint[]) as taxed (id, rate, tax)
    where organization_id = $1 and invoice_lines.id = taxed.id`,
};

async function setTaxes(
  { db, organization }: Tenancy,
  lines: readonly InvoiceLineModel[],
  rates: readonly number[],
  taxes: readonly number[],
): Promise<void> {
  await executeSoon(db, SET_TAXES, [organization.id, lines.map(({ id }) => id), rates, taxes]);
}

const BALANCE: Statement = {
  name: 'invoice_balance',
  text: `
    select coalesce(sum(returned_minor - balance_minor), 0)::bigint as balance from invoices
    where organization_id = $1 and status not in ('DRAFT', 'VOID') and (balance_minor <> 0 or returned_minor <> 0)`,
};

/** What earlier invoices left: above 0 for the customer, below 0 for us. Its account is locked meanwhile. */
export async function balanceOf({ db, organization }: Tenancy): Promise<number> {
  const [row] = await execute<{ balance: number }>(db, BALANCE, [organization.id]);
  return row!.balance;
}

/** What none of the providers can charge waits in the balance for the next invoice. */
function minimumOf({ ports }: Context, currency: string): number {
  const minima = [...ports.payments.values()].map(({ currencies }) => currencies.get(currency)?.minimumMinor ?? 0);
  return Math.max(0, ...minima);
}

/**
 * What the balance pays of an invoice. One that is below 0 adds to it; a debt of it is due with this invoice; and what
 * is left below the least that can be charged becomes such a debt.
 */
export function fromBalance(totalMinor: number, balanceMinor: number, minimumMinor: number): number {
  if (totalMinor <= 0) return totalMinor;
  const paid = Math.min(balanceMinor, totalMinor);
  return totalMinor - paid < minimumMinor ? totalMinor : paid;
}

interface Address {
  line1: string;
  line2: string | null;
  postalCode: string | null;
  city: string;
  region: string | null;
}

const printed = ({ line1, line2, postalCode, city, region }: Address): string[] =>
  [line1, line2, [postalCode, city].filter(Boolean).join(' '), region].filter(
    (line) => line !== null && line !== '',
  ) as string[];
