import type { ChargeStatus, DisputeStatus, ProviderName, RefundStatus } from '@rentapi/payments/payment-provider';
import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Dispute, Payment, Refund } from './schemas.ts';
import type { Purpose } from './service/fulfilment.ts';

/** What credits cost. A row never changes: another price is another row. */
export class CreditPriceModel extends BaseModel {
  static override tableName = 'credit_prices';

  declare credits: number;
  declare currency: string;
  declare amountMinor: number;
  declare createdAt: Date;
  declare archivedAt: Date | null;
}

/** Credits that someone wants to buy, at the price of that moment. */
export class CreditPurchaseModel extends TenantModel {
  static override tableName = 'credit_purchases';

  declare credits: number;
  declare currency: string;
  declare amountMinor: number;
  /** Of the caller and their idempotency key: a repeat is the same purchase. */
  declare requestHash: Buffer | null;
  declare createdAt: Date;
}

export class PaymentModel extends TenantModel {
  static override tableName = 'payments';

  declare purpose: Purpose;
  /** What it pays: a purchase of credits, or an invoice. */
  declare subjectId: number;
  declare provider: ProviderName;
  declare status: ChargeStatus;
  declare currency: string;
  declare amountMinor: number;
  declare description: string;
  declare returnUrl: string;
  /** The provider's id of a saved method; null where the payer pays on a page. */
  declare methodId: string | null;
  declare customerId: string | null;
  declare savesMethod: boolean;
  /** Begun without its payer. */
  declare offSession: boolean;
  declare attempt: number;
  /** Of the charge, committed before it is confirmed. */
  declare externalId: string | null;
  /** Since then its money may move. */
  declare confirmingAt: Date | null;
  declare captureId: string | null;
  declare actionUrl: string | null;
  /** Since when it waits for its payer. */
  declare actionAt: Date | null;
  declare failureCode: string | null;
  /** What is paid back, or about to be. */
  declare refundedMinor: number;
  declare feeMinor: number | null;
  /** The payment whose charge ends before this one begins. */
  declare replacesId: number | null;
  declare failures: number;
  declare dueAt: Date | null;
  declare paidAt: Date | null;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<PaymentModel> {
    return {
      id: 'pay',
      keep: ['purpose', 'provider', 'status', 'currency', 'amountMinor', 'refundedMinor', 'externalId', 'failureCode'],
      refs: { organizationId: 'org' },
    };
  }

  get isOpen(): boolean {
    return this.status === 'CREATED' || this.status === 'REQUIRES_ACTION' || this.status === 'PENDING';
  }

  get amount() {
    return { amountMinor: this.amountMinor, currency: this.currency };
  }

  present(ids: Ids): Payment {
    const { purpose, provider, status, currency, description } = this;
    return {
      id: ids.encode('pay', this.id),
      purpose,
      provider,
      status,
      amount: this.amount,
      refunded: { amountMinor: this.refundedMinor, currency },
      description,
      actionUrl: status === 'REQUIRES_ACTION' ? this.actionUrl : null,
      failureCode: this.failureCode,
      createdAt: iso(this.createdAt),
      paidAt: isoOrNull(this.paidAt),
    };
  }
}

export class RefundModel extends TenantModel {
  static override tableName = 'refunds';

  declare paymentId: number;
  declare provider: ProviderName;
  declare status: RefundStatus;
  /** Who wants it: staff, this server for a payment that came twice, or someone at the provider. */
  declare origin: Refund['origin'];
  declare currency: string;
  declare amountMinor: number;
  declare reason: string | null;
  declare externalId: string | null;
  declare failureCode: string | null;
  declare failures: number;
  declare dueAt: Date | null;
  declare settledAt: Date | null;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<RefundModel> {
    return {
      id: 'rfd',
      keep: ['provider', 'status', 'origin', 'currency', 'amountMinor', 'reason', 'externalId', 'failureCode'],
      refs: { organizationId: 'org', paymentId: 'pay' },
    };
  }

  get amount() {
    return { amountMinor: this.amountMinor, currency: this.currency };
  }

  present(ids: Ids): Refund {
    const { status, origin, reason, failureCode } = this;
    return {
      id: ids.encode('rfd', this.id),
      paymentId: ids.encode('pay', this.paymentId),
      status,
      origin,
      amount: this.amount,
      reason,
      failureCode,
      createdAt: iso(this.createdAt),
      settledAt: isoOrNull(this.settledAt),
    };
  }
}

/** A payer asks their bank or the provider for the money back. */
export class DisputeModel extends TenantModel {
  static override tableName = 'disputes';

  declare paymentId: number;
  declare provider: ProviderName;
  declare externalId: string;
  declare status: DisputeStatus;
  declare currency: string;
  declare amountMinor: number;
  declare reason: string;
  declare endedAt: Date | null;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<DisputeModel> {
    return {
      id: 'dsp',
      keep: ['provider', 'externalId', 'status', 'currency', 'amountMinor', 'reason'],
      refs: { organizationId: 'org', paymentId: 'pay' },
    };
  }

  present(ids: Ids): Dispute {
    const { status, reason, amountMinor, currency } = this;
    return {
      id: ids.encode('dsp', this.id),
      paymentId: ids.encode('pay', this.paymentId),
      status,
      amount: { amountMinor, currency },
      reason,
      createdAt: iso(this.createdAt),
      endedAt: isoOrNull(this.endedAt),
    };
  }
}
