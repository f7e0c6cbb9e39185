import type { Ids } from '../../contract/ids.ts';
import type { Interval, PlanCode, PlanTerms } from '../../contract/plans.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { Plan, Price, StoredUsagePrice } from './schemas.ts';

/** What can be sold. Operators change what it includes; the calls of its organizations notice within a second. */
export class PlanModel extends BaseModel {
  static override tableName = 'plans';

  declare code: PlanCode;
  declare name: string;
  /** A plan of a higher rank is an upgrade. */
  declare rank: number;
  declare terms: PlanTerms;
  declare monthlyCredits: number;
  declare creditsRollOver: boolean;
  declare trialDays: number;
  declare archivedAt: Date | null;
  declare createdAt: Date;

  present(prices: Price[]): Plan {
    const { code, name, terms, monthlyCredits, creditsRollOver, trialDays } = this;
    const { perHour, perDay, sockets, subscriptions, includedCallsPerMonth, overage, features } = terms;
    return {
      code,
      name,
      limits: { perHour, perDay, sockets, subscriptions },
      includedCallsPerMonth,
      overage,
      features: [...features],
      monthlyCredits,
      creditsRollOver,
      trialDays,
      prices,
    };
  }
}

/** What a plan costs. The database refuses to change it. */
export class PriceModel extends BaseModel {
  static override tableName = 'prices';

  declare plan: PlanCode;
  declare interval: Interval;
  declare currency: string;
  declare amountMinor: number;
  declare usage: StoredUsagePrice[];
  declare archivedAt: Date | null;
  declare createdAt: Date;

  present(ids: Ids): Price {
    const { interval, currency, amountMinor, usage } = this;
    return {
      id: ids.encode('prc', this.id),
      interval,
      amount: { amountMinor, currency },
      usage: usage.map(({ meter, amountMinor, unitSize }) => ({
        meter,
        unitPrice: { amountMinor, currency },
        unitSize,
      })),
    };
  }
}
