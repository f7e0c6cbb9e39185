import type { Context } from '../../../context.ts';
import { type Sold, soldAt } from '../../plans/service/read.ts';
import type { Bought } from '../lines.ts';

/** What was bought, and how many of it. */
export async function boughtBy(
  ctx: Pick<Context, 'db'>,
  { priceId, quantity }: { priceId: number; quantity: number },
): Promise<Bought & Sold> {
  return { ...(await soldAt(ctx, priceId)), quantity };
}
