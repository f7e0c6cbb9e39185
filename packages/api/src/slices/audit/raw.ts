import { exampleId } from '../../contract/ids.ts';
import { rawRoute, sendLines } from '../../wire/raw-route.ts';
import { AuditEntry, ExportAuditLogs } from './schemas.ts';
import { exportAuditLogs } from './service.ts';

/** Separate from `orgs.auditLogs`, which is an operation itself and so cannot contain one. */
export const auditExport = rawRoute({
  name: 'orgs.exportAuditLogs',
  meta: {
    access: 'org:audit',
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}/audit-logs/export',
      tags: ['Organizations'],
      summary: "Download an organization's audit log",
      description:
        'Oldest first, one JSON value per line, for a log of any length. It is cut off when you lose access: an answer that breaks off is incomplete.',
    },
    example: { input: { orgId: exampleId('org'), action: 'api_key.revoked' } },
  },
  input: ExportAuditLogs,
  answer: { type: 'application/x-ndjson', schema: AuditEntry, fileName: 'audit-log.ndjson' },
  serve: (ctx, input, exchange) => sendLines(exchange, exportAuditLogs(ctx, input)),
});
