import { iso } from '../../contract/common-schemas.ts';
import type { IdPrefix, Ids } from '../../contract/ids.ts';
import { BaseModel } from '../../data/base-model.ts';
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
  /** Its place among all; null until it is stamped. */
  declare position: number | null;
  declare personalSalt: string | null;
  declare personalDigest: Buffer | null;
  declare chainHash: Buffer | null;

  present(ids: Ids): AuditEntry {
    const target = TARGETS[this.targetKind];
    return {
      id: ids.encode('aud', this.id),
      action: this.action,
      actor: {
        kind: this.actorKind,
        id: this.actorId === null ? null : publicActor(ids, this.actorKind, this.actorId),
      },
      target: {
        kind: target?.kind ?? this.targetKind,
        id: target?.prefix ? ids.encode(target.prefix, this.targetId) : null,
      },
      before: this.before && publicSnapshot(ids, this.before, target?.prefix),
      after: this.after && publicSnapshot(ids, this.after, target?.prefix),
      ip: this.ip,
      userAgent: this.userAgent,
      requestId: this.requestId,
      hash: this.chainHash?.toString('hex') ?? null,
      createdAt: iso(this.createdAt),
    };
  }
}

/** What each table's rows are called outside, and what their ids begin with, where they have one. */
const TARGETS: Record<string, { kind: string; prefix?: IdPrefix }> = {
  users: { kind: 'user', prefix: 'usr' },
  organizations: { kind: 'organization', prefix: 'org' },
  organization_members: { kind: 'member' },
  organization_invitations: { kind: 'invitation', prefix: 'ivt' },
  roles: { kind: 'role', prefix: 'rol' },
  api_keys: { kind: 'api_key', prefix: 'key' },
  sessions: { kind: 'session' },
};

const REFERENCES: Record<string, IdPrefix> = {
  organizationId: 'org',
  defaultOrganizationId: 'org',
  personalOrganizationId: 'org',
  userId: 'usr',
  createdBy: 'usr',
  inviterUserId: 'usr',
  inviterKeyId: 'key',
  parentId: 'rol',
};

function publicActor(ids: Ids, kind: 'user' | 'key' | 'system', id: number): string | null {
  return kind === 'user' ? ids.encode('usr', id) : kind === 'key' ? ids.encode('key', id) : null;
}

/** A row as it was, with public ids; numbers that are ids of nothing public, and search keys, stay inside. */
function publicSnapshot(ids: Ids, row: Snapshot, ownPrefix: IdPrefix | undefined): Snapshot {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) => {
      const prefix = name === 'id' ? ownPrefix : REFERENCES[name];
      if (prefix) return [[name, typeof value === 'number' ? ids.encode(prefix, value) : value]];
      return name === 'id' || /(Id|Key)$/.test(name) ? [] : [[name, value]];
    }),
  );
}

/** The row behind a public id of any kind that an entry can be about. */
export function targetOf(ids: Ids, publicId: string): { targetKind: string; targetId: number } | null {
  const known = Object.entries(TARGETS).find(([, { prefix }]) => prefix && publicId.startsWith(`${prefix}_`));
  if (!known) return null;
  const [targetKind, { prefix }] = known;
  return { targetKind, targetId: ids.decode(prefix!, publicId) };
}
