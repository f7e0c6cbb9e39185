import { exampleId } from '../../contract/ids.ts';
import { procedure } from '../../procedure.ts';
import { AuditPage, ListAuditLogs } from './schemas.ts';
import { listAuditLogs } from './service.ts';

const orgId = exampleId('org');

/** Part of `orgs`. */
export const auditLogs = procedure({
  access: 'org:audit',
  openapi: {
    method: 'GET',
    path: '/organizations/{orgId}/audit-logs',
    tags: ['Organizations'],
    summary: "List an organization's audit log",
    description:
      'Newest first. For the whole log, one JSON value per line, use `GET /api/v1/organizations/{orgId}/audit-logs/export` with the same filters.',
  },
  errors: ['invalid_cursor'],
  example: {
    input: { orgId, action: 'api_key.revoked' },
    output: {
      items: [
        {
          id: exampleId('aud'),
          action: 'api_key.revoked',
          actor: { kind: 'user', id: exampleId('usr') },
          target: { kind: 'api_key', id: exampleId('key') },
          before: { name: 'CI', revokedAt: null },
          after: { name: 'CI', revokedAt: '2026-01-31T12:00:00.000Z' },
          ip: '203.0.113.9',
          userAgent: 'curl/8.5.0',
          requestId: '3f9d2c1e-5b7a-4e0c-9d38-1a2b3c4d5e6f',
          hash: 'c1f0d7a9b2e4486f9a3d5c7e8b1f2a4d6c8e0b9d7f5a3c1e2b4d6f8a0c9e7b5d',
          createdAt: '2026-01-31T12:00:00.000Z',
        },
      ],
      nextCursor: null,
    },
  },
})
  .input(ListAuditLogs)
  .output(AuditPage)
  .query(({ ctx, input }) => listAuditLogs(ctx, input));
