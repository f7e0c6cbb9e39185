import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { CreditEntry, CreditGrant } from './schemas.ts';

/** Credits that an organization was given at once. Only functions of the database change it. */
export class CreditGrantModel extends TenantModel {
  static override tableName = 'credit_grants';

  declare source: CreditGrant['source'];
  /** What granted it, such as a payment: of one source, a key grants once. */
  declare sourceKey: string;
  declare amount: number;
  /** Not that of the grant being spent, of which the balance says what is left. */
  declare remaining: number;
  /** Cannot be spent while a payment is disputed. */
  declare frozen: number;
  declare priority: number;
  /** Infinity: never. */
  declare expiresAt: Date | number;
  declare createdAt: Date;
  declare revokedAt: Date | null;
  /** Of how many their payment was paid back. */
  declare takenBack: number;
  /** Of these, how many were spent already, so that others were taken, or they are owed. */
  declare takenElsewhere: number;

  get facts(): ModelFacts<CreditGrantModel> {
    return {
      id: 'crd',
      keep: ['source', 'amount', 'priority', 'expiresAt', 'createdAt', 'revokedAt'],
      refs: { organizationId: 'org' },
    };
  }

  present(ids: Ids): CreditGrant {
    return {
      id: ids.encode('crd', this.id),
      source: this.source,
      credits: this.amount,
      remaining: this.remaining,
      frozen: this.frozen,
      expiresAt: this.expiresAt instanceof Date ? iso(this.expiresAt) : null,
      createdAt: iso(this.createdAt),
    };
  }
}

/** An entry of the ledger. Its id counts the entries of the organization. */
export class CreditEntryModel extends TenantModel {
  static override tableName = 'credit_ledger';

  declare kind: CreditEntry['kind'];
  declare grantId: number;
  declare amount: number;
  declare availableAfter: number;
  declare key: string;
  declare reason: string | null;
  declare createdAt: Date;

  present(ids: Ids): CreditEntry {
    return {
      number: this.id,
      kind: this.kind,
      credits: this.amount,
      availableAfter: this.availableAfter,
      grantId: ids.encode('crd', this.grantId),
      reason: this.reason,
      createdAt: iso(this.createdAt),
    };
  }
}
