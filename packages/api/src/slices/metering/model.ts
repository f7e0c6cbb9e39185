import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import { TenantModel } from '../../data/tenant-model.ts';
import type { Aggregation, Meter } from './schemas.ts';

export class MeterModel extends TenantModel {
  static override tableName = 'meters';

  declare slug: string;
  declare name: string;
  declare aggregation: Aggregation;
  declare property: string | null;
  declare archivedAt: Date | null;
  declare createdAt: Date;

  get facts(): ModelFacts<MeterModel> {
    return {
      id: 'mtr',
      keep: ['slug', 'name', 'aggregation', 'property', 'archivedAt', 'createdAt'],
      refs: { organizationId: 'org' },
    };
  }

  present(ids: Ids): Meter {
    return {
      id: ids.encode('mtr', this.id),
      slug: this.slug,
      name: this.name,
      aggregation: this.aggregation,
      property: this.property,
      archivedAt: isoOrNull(this.archivedAt),
      createdAt: iso(this.createdAt),
    };
  }
}
