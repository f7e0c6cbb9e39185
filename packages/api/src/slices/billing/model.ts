import { iso } from '../../contract/common-schemas.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { BillingAddress, BillingFinding, BillingInfo } from './schemas.ts';

/** Who is billed for an organization. There is none until something is known. */
export class BillingAccountModel extends TenantModel {
  static override tableName = 'billing_accounts';

  declare name: string | null;
  declare email: string | null;
  declare address: BillingAddress | null;
  declare taxId: string | null;
  /** Decided by the first payment or invoice. */
  declare currency: string | null;
  /** 0 until something is known. */
  declare version: number;
  declare createdAt: Date;
  declare updatedAt: Date;

  get facts(): ModelFacts<BillingAccountModel> {
    return { kind: 'billing_account', keep: ['name', 'taxId', 'currency'], refs: { organizationId: 'org' } };
  }

  present(): BillingInfo {
    const { name, email, address, taxId, currency, updatedAt } = this;
    return { name, email, address, taxId, currency, updatedAt: this.version === 0 ? null : iso(updatedAt) };
  }
}

/** What a provider of payments has and we do not expect. */
export class BillingFindingModel extends BaseModel {
  static override tableName = 'billing_findings';

  declare kind: BillingFinding['kind'];
  declare provider: string;
  declare objectKind: string;
  declare externalId: string;
  declare ours: string | null;
  declare theirs: string | null;
  declare state: BillingFinding['state'];
  declare foundAt: Date;
  declare seenAt: Date;

  present(): BillingFinding {
    const { kind, provider, objectKind, externalId, ours, theirs, state } = this;
    return {
      kind,
      provider,
      objectKind,
      externalId,
      ours,
      theirs,
      state,
      foundAt: iso(this.foundAt),
      seenAt: iso(this.seenAt),
    };
  }
}
