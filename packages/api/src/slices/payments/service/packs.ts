import type { Context } from '../../../context.ts';
import { insertRow } from '../../../data/rows.ts';
import { CreditPriceModel } from '../model.ts';

interface CreditPack {
  credits: number;
  currency: string;
  amountMinor: number;
}

/** Sells credits at a price from now on. */
export async function addCreditPack(ctx: Context, pack: CreditPack): Promise<void> {
  await insertRow(ctx.db, CreditPriceModel, { ...pack, createdAt: ctx.now });
}
