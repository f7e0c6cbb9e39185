import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import type { PaymentModel } from '../model.ts';

/** What a payment is for. */
export type Purpose = 'CREDITS' | 'INVOICE';

/** Why a payment no longer counts. */
export type Reversal = 'refund' | 'dispute_opened' | 'dispute_won' | 'dispute_lost';

/** A call or a job in an organization. */
export type TenantContext = Context & Tenancy;

/**
 * What follows from a payment of one purpose, in the transaction of its change. Events come late, twice and in any
 * order: each of these has its effect once.
 */
export interface Fulfilment {
  /** It is paid. */
  settle(ctx: TenantContext, payment: PaymentModel): Promise<void>;
  /** `amountMinor` of a refund is the sum of all that was paid back, of a dispute what is disputed. */
  reverse(ctx: TenantContext, payment: PaymentModel, kind: Reversal, amountMinor: number): Promise<void>;
  /** It failed, or was left. */
  fail?(ctx: TenantContext, payment: PaymentModel): Promise<void>;
}

export type Fulfilments = Readonly<Partial<Record<Purpose, Fulfilment>>>;

/** A payment of a purpose that no slice serves cannot have been opened. */
export function fulfilmentOf({ ports }: Context, { purpose }: PaymentModel): Fulfilment {
  const found = ports.fulfilments[purpose];
  if (!found) throw new Error(`payments for ${purpose} have no fulfilment`);
  return found;
}
