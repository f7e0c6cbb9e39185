import type { ProviderName } from '@rentapi/payments/payment-provider';
import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Coupon } from './schemas.ts';
import type { Status, Timed } from './state.ts';

/** What an organization pays for again and again. One lives at most. */
export class SubscriptionModel extends TenantModel implements Timed {
  static override tableName = 'subscriptions';

  declare status: Status;
  declare priceId: number;
  declare quantity: number;
  declare provider: ProviderName;
  declare returnUrl: string;
  declare couponId: number | null;
  /** Periods that begin before it are cheaper; null for all. */
  declare couponUntil: Date | null;
  /** From here periods are counted. */
  declare anchorAt: Date;
  /** -1 before the first that is paid. */
  declare periodIndex: number;
  /** Counts the invoices of periods, whatever the anchor. */
  declare cycle: number;
  declare periodStart: Date;
  declare periodEnd: Date;
  declare trialEnd: Date | null;
  declare trialNoticedAt: Date | null;
  declare cancelAt: Date | null;
  declare endedAt: Date | null;
  declare pendingPriceId: number | null;
  declare pendingQuantity: number | null;
  declare pendingProvider: ProviderName | null;
  declare changePriceId: number | null;
  declare changeQuantity: number | null;
  declare changeAt: Date | null;
  declare changeInvoiceId: number | null;
  declare changeExpiresAt: Date | null;
  declare changes: number;
  declare renewalInvoiceId: number | null;
  declare pastDueSince: Date | null;
  declare dunningStep: number;
  /** A method that its bank has refused for good, as the provider names it. */
  declare declinedMethod: string | null;
  /** Counts the months since the anchor whose credits were granted. */
  declare creditsIndex: number;
  declare creditsDueAt: Date | null;
  declare dueAt: Date | null;
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<SubscriptionModel> {
    return {
      id: 'sub',
      keep: [
        'status',
        'quantity',
        'provider',
        'periodStart',
        'periodEnd',
        'trialEnd',
        'cancelAt',
        'endedAt',
        'pendingQuantity',
        'changeQuantity',
        'pastDueSince',
        'dunningStep',
        'version',
      ],
      refs: { organizationId: 'org' },
    };
  }
}

/** Makes subscriptions cheaper. */
export class CouponModel extends BaseModel {
  static override tableName = 'coupons';

  declare code: string;
  declare percentOff: number | null;
  declare amountOffMinor: number | null;
  declare currency: string | null;
  declare duration: Coupon['duration'];
  declare months: number | null;
  declare maxRedemptions: number | null;
  declare redeemed: number;
  declare expiresAt: Date | null;
  declare archivedAt: Date | null;
  declare createdAt: Date;

  get facts(): ModelFacts<CouponModel> {
    return {
      kind: 'coupon',
      keep: [
        'code',
        'percentOff',
        'amountOffMinor',
        'currency',
        'duration',
        'months',
        'maxRedemptions',
        'expiresAt',
        'archivedAt',
      ],
      refs: {},
    };
  }

  present(): Coupon {
    const { code, percentOff, amountOffMinor, currency, duration, months, maxRedemptions, redeemed } = this;
    return {
      code,
      percentOff,
      amountOff: amountOffMinor === null || currency === null ? null : { amountMinor: amountOffMinor, currency },
      duration,
      months,
      maxRedemptions,
      redeemed,
      expiresAt: isoOrNull(this.expiresAt),
      archivedAt: isoOrNull(this.archivedAt),
      createdAt: iso(this.createdAt),
    };
  }
}
