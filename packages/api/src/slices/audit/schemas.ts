import { z } from 'zod';
import { Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { anyId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { AUDITED_PREFIXES } from '../audited-models.ts';

const Snapshot = z.record(z.string(), z.unknown());

export const AuditEntry = z
  .object({
    id: id('aud'),
    action: z.string().meta({ description: 'What was done: an event type.', example: 'member.roles_changed' }),
    actor: z
      .object({
        kind: z
          .enum(['user', 'key', 'system'])
          .meta({ description: 'A user, an API key, or RentAPI itself.', example: 'user' }),
        id: z.string().nullable().meta({ description: 'Of the user or API key.' }),
      })
      .meta({ description: 'Who did it.' }),
    target: z
      .object({
        kind: z.string().meta({ description: 'What kind of thing it is.', example: 'api_key' }),
        id: z.string().nullable().meta({ description: 'Its id; null for what has none, as a membership.' }),
      })
      .meta({ description: 'What it was done to.' }),
    before: Snapshot.nullable().meta({ description: 'The row before, without secrets. Null once erased.' }),
    after: Snapshot.nullable().meta({ description: 'The row after, without secrets. Null once erased.' }),
    ip: z.string().nullable().meta({ description: 'The address of the caller.', example: '203.0.113.9' }),
    userAgent: z.string().nullable().meta({ description: 'The `User-Agent` of the caller.', example: 'curl/8.5.0' }),
    requestId: z.string().meta({ description: 'Names the request in logs.' }),
    hash: z
      .string()
      .nullable()
      .meta({ description: 'Links the entry to the one before it in the organization: SHA-256 over both.' }),
    createdAt: Timestamp.meta({ description: 'When it was done.' }),
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
