import { once } from 'node:events';
import type { RawRoute } from '../../transports/raw.ts';
import { ExportAuditLogs } from './schemas.ts';
import { exportAuditLogs } from './service.ts';

/** The whole log as NDJSON, at the speed of whoever reads it. */
export const auditExport: RawRoute<typeof ExportAuditLogs> = {
  meta: {
    access: 'org:audit',
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}/audit-logs/export',
      tags: ['Organizations'],
      summary: "Download an organization's audit log",
    },
    example: {},
  },
  input: ExportAuditLogs,
  async serve(ctx, input, res) {
    for (const name in ctx.reply) res.setHeader(name, ctx.reply[name]!);
    res.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    res.setHeader('Content-Disposition', 'attachment; filename="audit-log.ndjson"');
    res.setHeader('Cache-Control', 'no-store');
    for await (const entry of exportAuditLogs(ctx, input)) {
      if (res.destroyed) return;
      if (!res.write(`${JSON.stringify(entry)}\n`)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
    }
    res.end();
  },
};
