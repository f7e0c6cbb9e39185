import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { LimitOverride as Resolved } from '../../pipeline/entitlements.ts';
import type { LimitOverride } from './schemas.ts';

/** What staff granted an organization, or one of its keys. At most one of each has not ended. */
export class LimitOverrideModel extends TenantModel {
  static override tableName = 'limit_overrides';

  declare apiKeyId: number | null;
  declare perHour: number | null;
  declare perDay: number | null;
  declare sockets: number | null;
  declare subscriptions: number | null;
  declare reason: string;
  declare until: Date;
  declare createdBy: number;
  declare createdAt: Date;
  /** When another took its place, or none. The end by `until` is not written. */
  declare endedAt: Date | null;

  get facts(): ModelFacts<LimitOverrideModel> {
    return {
      id: 'ovr',
      keep: ['perHour', 'perDay', 'sockets', 'subscriptions', 'reason', 'until', 'createdAt', 'endedAt'],
      refs: { organizationId: 'org', apiKeyId: 'key', createdBy: 'usr' },
    };
  }

  /** As the row of the organization or the key contains it, for the resolver. */
  resolved(): Resolved {
    const { id, perHour, perDay, sockets, subscriptions, until } = this;
    return { id, perHour, perDay, sockets, subscriptions, untilMs: until.getTime() };
  }

  present(ids: Ids): LimitOverride {
    return {
      id: ids.encode('ovr', this.id),
      organizationId: ids.encode('org', this.organizationId),
      keyId: this.apiKeyId === null ? null : ids.encode('key', this.apiKeyId),
      perHour: this.perHour,
      perDay: this.perDay,
      sockets: this.sockets,
      subscriptions: this.subscriptions,
      reason: this.reason,
      until: iso(this.until),
      createdBy: ids.encode('usr', this.createdBy),
      createdAt: iso(this.createdAt),
    };
  }
}
