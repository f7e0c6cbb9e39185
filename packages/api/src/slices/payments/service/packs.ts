import type { Context } from '../../../context.ts';
import { insertRow } from '../../../data/rows.ts';
import { CreditPriceModel } from '../model.ts';
import type { CreditPack } from '../schemas.ts';

interface NewPack {
  credits: number;
  currency: string;
  amountMinor: number;
}

const MAX_PACKS = 200;

/** Sells credits at a price from now on. */
export async function addCreditPack(ctx: Context, pack: NewPack): Promise<void> {
  await insertRow(ctx.db, CreditPriceModel, { ...pack, createdAt: ctx.now });
}

/** Those that are sold now, from the fewest credits. */
export async function listCreditPacks(ctx: Context): Promise<CreditPack[]> {
  const packs = await CreditPriceModel.query(ctx.db)
    .whereNull('archivedAt')
    .orderBy(['credits', 'currency'])
    .limit(MAX_PACKS);
  return packs.map(({ credits, amountMinor, currency }) => ({ credits, amount: { amountMinor, currency } }));
}
