import type { Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { ModelFacts } from '../../data/model-facts.ts';
import type { DataExport } from './schemas.ts';

export class ExportModel extends BaseModel {
  static override tableName = 'user_exports';

  declare userId: number;
  declare status: DataExport['status'];
  /** Percent. */
  declare progress: number;
  declare storageKey: string;
  declare createdAt: Date;
  declare expiresAt: Date;

  get facts(): ModelFacts<ExportModel> {
    return { id: 'exp', keep: ['status', 'createdAt', 'expiresAt'], refs: { userId: 'usr' } };
  }

  present(ids: Ids): DataExport {
    return { id: ids.encode('exp', this.id), status: this.status, progress: this.progress };
  }
}
