import type { ProviderName, Setup } from '@rentapi/payments/payment-provider';
import type { Context } from '../../../context.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentMethodModel } from '../model.ts';
import type { TenantContext } from './customers.ts';
import { activate, drop, fieldsOf, patch } from './rows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than a payer can use the page of either provider. */
const LIFETIME_MS = 25 * HOUR_MS;

/** A minute after the first look, an hour after the seventh and later ones. */
export const nextLook = ({ now }: Context, looks: number): Date =>
  new Date(now.getTime() + Math.min(MINUTE_MS * 2 ** Math.min(looks, 10), HOUR_MS));

/**
 * What a setup says of the method that it saves, as it was read at `ctx.now` or later. Answers the method; undefined
 * where nothing is saved any more.
 */
export async function applySetup(
  ctx: TenantContext,
  id: number,
  setup: Setup | null,
): Promise<PaymentMethodModel | undefined> {
  await lockOrganization(ctx);
  const row = await PaymentMethodModel.of(ctx).findOne({ id }).forUpdate();
  if (row?.status !== 'PENDING') return row;
  const after = await moveOn(ctx, row, setup);
  await admitSeen(ctx, row.provider);
  return after;
}

async function moveOn(
  ctx: TenantContext,
  row: PaymentMethodModel,
  setup: Setup | null,
): Promise<PaymentMethodModel | undefined> {
  if (setup?.status === 'SUCCEEDED' && setup.method) return finish(ctx, row, fieldsOf(setup.method));
  // An attempt that failed is not the end: the payer may try another card on the same page.
  const isOver = setup === null || (setup.id === row.setupId && /^(FAILED|CANCELED)$/.test(setup.status ?? ''));
  if (isOver || ctx.now.getTime() - row.createdAt.getTime() > LIFETIME_MS) return void (await drop(ctx, row));
  const looks = row.looks + 1;
  return patch(ctx, row, { looks, lookedAt: ctx.now, dueAt: nextLook(ctx, looks) });
}

async function finish(
  ctx: TenantContext,
  row: PaymentMethodModel,
  fields: ReturnType<typeof fieldsOf>,
): Promise<PaymentMethodModel | undefined> {
  const { externalId } = fields;
  const known = await PaymentMethodModel.of(ctx).findOne({ provider: row.provider, externalId }).forUpdate();
  if (known && known.status !== 'SEEN') {
    await drop(ctx, row); // another setup has saved it, or it has been removed since
    return known.status === 'ACTIVE' ? known : undefined;
  }
  if (known) await drop(ctx, known);
  return activate(ctx, row, fields);
}

/**
 * Methods that appeared while setups were under way: they can be charged once each of those setups was read later and
 * has not saved them, because then they came another way, such as the page where a customer manages methods.
 */
async function admitSeen(ctx: TenantContext, provider: ProviderName): Promise<void> {
  const rows = await PaymentMethodModel.of(ctx)
    .where({ provider })
    .whereIn('status', ['PENDING', 'SEEN'])
    .orderBy('id');
  const pending = rows.filter(({ status }) => status === 'PENDING');
  for (const row of rows.filter(({ status }) => status === 'SEEN')) {
    const isOwn = pending.every(({ lookedAt }) => lookedAt !== null && lookedAt >= row.createdAt);
    if (isOwn) await activate(ctx, row, kept(row));
  }
}

const kept = ({ externalId, customerId, kind, brand, last4, expiresAt, fingerprint }: PaymentMethodModel) => ({
  externalId: externalId!, // it is SEEN
  customerId,
  kind: kind!,
  brand,
  last4,
  expiresAt,
  fingerprint,
});
