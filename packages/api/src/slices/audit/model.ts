import { iso } from '../../contract/common-schemas.ts';
import { type IdPrefix, type Ids, prefixOf } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
import { type AnyFacts, kindOf } from '../../data/model-facts.ts';
import { AUDITED_MODELS } from '../audited-models.ts';
import type { AuditEntry } from './schemas.ts';

type Snapshot = Record<string, unknown>;

export class AuditLogModel extends BaseModel {
  static override tableName = 'audit_logs';

  declare organizationId: number | null;
  declare eventId: number | null;
  declare action: string;
  declare actorKind: 'user' | 'key' | 'system';
  declare actorId: number | null;
  /** The table. */
  declare targetKind: string;
  declare targetId: number;
  declare before: Snapshot | null;
  declare after: Snapshot | null;
  declare ip: string | null;
  declare userAgent: string | null;
  declare requestId: string;
  declare createdAt: Date;
  /** Its position in the order of all entries; null until the sequencer assigns one. */
  declare position: number | null;
  declare personalSalt: string | null;
  declare personalDigest: Buffer | null;
  declare chainHash: Buffer | null;

  /** The size of what can be large, as a column that is read without it. */
  static sizeInBytes() {
    const sizes = ['before::text', 'after::text', 'user_agent'].map((column) => `coalesce(octet_length(${column}), 0)`);
    return AuditLogModel.raw(`${sizes.join(' + ')} as bytes`);
  }

  present(ids: Ids): AuditEntry {
    const facts = FACTS_BY_TABLE.get(this.targetKind);
    return {
      id: ids.encode('aud', this.id),
      action: this.action,
      actor: {
        kind: this.actorKind,
        id: this.actorId === null ? null : publicActor(ids, this.actorKind, this.actorId),
      },
      target: {
        kind: facts ? kindOf(facts) : this.targetKind,
        id: facts?.id ? ids.encode(facts.id, this.targetId) : null,
      },
      before: facts && this.before ? publicSnapshot(ids, facts, this.before) : null,
      after: facts && this.after ? publicSnapshot(ids, facts, this.after) : null,
      ip: this.ip,
      userAgent: this.userAgent,
      requestId: this.requestId,
      hash: this.chainHash?.toString('hex') ?? null,
      createdAt: iso(this.createdAt),
    };
  }
}

const FACTS_BY_TABLE = new Map(AUDITED_MODELS.map((model) => [model.tableName, model.prototype.facts]));

function publicActor(ids: Ids, kind: 'user' | 'key' | 'system', id: number): string | null {
  return kind === 'user' ? ids.encode('usr', id) : kind === 'key' ? ids.encode('key', id) : null;
}

/**
 * The stored row, with public ids. The facts are applied again: a column that they no longer keep is not shown either.
 */
function publicSnapshot(ids: Ids, { id: prefix, keep, refs }: AnyFacts, row: Snapshot): Snapshot {
  const shown = (columns: readonly string[]) => columns.filter((column) => Object.hasOwn(row, column));
  const encode = (prefix: IdPrefix | undefined, value: unknown) =>
    prefix && typeof value === 'number' ? ids.encode(prefix, value) : null;
  return {
    ...(prefix && { id: encode(prefix, row['id']) }),
    ...Object.fromEntries(shown(Object.keys(refs)).map((column) => [column, encode(refs[column], row[column])])),
    ...Object.fromEntries(shown(keep).map((column) => [column, row[column]])),
  };
}

/** The row behind a public id of any kind that an entry can be about. */
export function targetOf(ids: Ids, publicId: string): { targetKind: string; targetId: number } | null {
  const prefix = prefixOf(publicId);
  const model = prefix && AUDITED_MODELS.find(({ prototype }) => prototype.facts.id === prefix);
  return model ? { targetKind: model.tableName, targetId: ids.decode(prefix, publicId) } : null;
}
