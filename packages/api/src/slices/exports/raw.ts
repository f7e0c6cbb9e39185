import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import { rawRoute } from '../../wire/raw-route.ts';
import { ExportId } from './schemas.ts';
import { openExport } from './service/request.ts';

export const exportFile = rawRoute({
  name: 'users.me.exportFile',
  meta: {
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/users/me/exports/{exportId}',
      tags: ['Users'],
      summary: 'Download a copy of your data',
      description: 'A ZIP archive, for 24 hours after it was made.',
    },
    errors: ['export_not_ready'],
    example: { input: { exportId: exampleId('exp') } },
  },
  input: ExportId,
  answer: {
    type: 'application/zip',
    schema: z.string().meta({ format: 'binary', description: 'The archive.' }),
    fileName: 'export.zip',
    servesHead: true,
  },
  async serve(ctx, { exportId }, { res }) {
    const file = await openExport(ctx, exportId);
    res.setHeader('Content-Length', file.sizeBytes);
    await pipeline(file.read(), res);
  },
});
