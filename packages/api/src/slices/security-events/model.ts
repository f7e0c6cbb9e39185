import { iso } from '../../contract/common-schemas.ts';
import type { Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import type { SecurityEvent, SecurityEventKind } from './schemas.ts';

export class SecurityEventModel extends BaseModel {
  static override tableName = 'security_events';

  /** Null for an address without an account. */
  declare userId: number | null;
  declare kind: SecurityEventKind;
  declare details: SecurityEvent['details'];
  /** Null for what others caused. */
  declare ip: string | null;
  declare userAgent: string | null;
  declare requestId: string;
  declare createdAt: Date;

  present(ids: Ids): SecurityEvent {
    return {
      id: ids.encode('sev', this.id),
      kind: this.kind,
      details: this.details,
      ip: this.ip,
      userAgent: this.userAgent,
      createdAt: iso(this.createdAt),
    };
  }
}
