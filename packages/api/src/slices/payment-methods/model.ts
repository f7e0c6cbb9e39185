import type { ProviderName } from '@rentapi/payments/payment-provider';
import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { PaymentMethod } from './schemas.ts';

/** Whom a provider knows an organization as. There is one for each provider, never two. */
export class PaymentCustomerModel extends TenantModel {
  static override tableName = 'payment_customers';

  declare provider: ProviderName;
  /** Part of the key under which it is made. */
  declare attempt: number;
  declare externalId: string | null;
  declare createdAt: Date;
}

export class PaymentMethodModel extends TenantModel {
  static override tableName = 'payment_methods';

  declare provider: ProviderName;
  declare status: 'PENDING' | 'SEEN' | 'ACTIVE' | 'REMOVED';
  declare isDefault: boolean;
  declare setupId: string | null;
  declare actionUrl: string | null;
  declare externalId: string | null;
  declare customerId: string | null;
  declare kind: string | null;
  declare brand: string | null;
  declare last4: string | null;
  declare expiresAt: Date | null;
  declare fingerprint: string | null;
  declare looks: number;
  declare lookedAt: Date | null;
  declare dueAt: Date | null;
  declare noticedExpiresAt: Date | null;
  declare createdAt: Date;

  get facts(): ModelFacts<PaymentMethodModel> {
    return {
      id: 'pmt',
      keep: ['provider', 'status', 'isDefault', 'kind', 'brand', 'last4', 'expiresAt', 'createdAt'],
      refs: { organizationId: 'org' },
    };
  }

  /** Whether it is expired depends on the time alone: no job has to notice it. */
  isExpired(now: Date): boolean {
    return this.expiresAt !== null && this.expiresAt <= now;
  }

  present(ids: Ids, now: Date): PaymentMethod {
    const { provider, kind, brand, last4, actionUrl } = this;
    return {
      id: ids.encode('pmt', this.id),
      provider,
      status: this.status === 'PENDING' ? 'PENDING' : this.isExpired(now) ? 'EXPIRED' : 'ACTIVE',
      default: this.isDefault,
      kind,
      brand,
      last4,
      expiresAt: isoOrNull(this.expiresAt),
      actionUrl,
      createdAt: iso(this.createdAt),
    };
  }
}
