import { z } from 'zod';
import { Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { anyId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { AUDITED_PREFIXES } from '../audited-models.ts';

const Snapshot = z.record(z.string(), z.unknown());

export const AuditEntry = z
  .object({
    id: id('aud'),
    action: z.string().meta({ example: 'member.roles_changed' }),
    actor: z.object({
      kind: z.enum(['user', 'key', 'system']),
      id: z.string().nullable().meta({ description: 'Of the user or API key.' }),
    }),
    target: z.object({
      kind: z.string().meta({ example: 'api_key' }),
      id: z
        .string()
        .nullable()
        .meta({ description: 'Null for a target without an id of its own, such as a membership.' }),
    }),
    before: Snapshot.nullable().meta({ description: 'The row before, without secrets. Null once erased.' }),
    after: Snapshot.nullable(),
    ip: z.string().nullable().meta({ example: '203.0.113.9' }),
    userAgent: z.string().nullable(),
    requestId: z.string(),
    hash: z
      .string()
      .nullable()
      .meta({ description: 'Links the entry to the one before it in the organization: SHA-256 over both.' }),
    createdAt: Timestamp,
  })
  .meta({
    id: 'AuditEntry',
    description: 'Who did what. Written once; a later change would break the chain of hashes.',
  });
export type AuditEntry = z.output<typeof AuditEntry>;

const filters = {
  orgId: id('org'),
  actorId: anyId(['usr', 'key']).optional().meta({ description: 'Only entries by this user or API key.' }),
  action: z.string().max(100).optional().meta({
    description: 'Only entries with this action: an event type, such as `member.removed`.',
    example: 'member.removed',
  }),
  targetId: anyId(AUDITED_PREFIXES).optional().meta({ description: 'Only entries about this target.' }),
  from: TimestampInput.optional().meta({ description: 'Not before.' }),
  to: TimestampInput.optional().meta({ description: 'Before.' }),
};

export const ListAuditLogs = pageInput(filters);
export type ListAuditLogs = z.output<typeof ListAuditLogs>;
export const ExportAuditLogs = z.strictObject(filters);
export type AuditFilters = z.output<typeof ExportAuditLogs>;
export const AuditPage = page('AuditPage', AuditEntry);
export type AuditPage = z.output<typeof AuditPage>;
