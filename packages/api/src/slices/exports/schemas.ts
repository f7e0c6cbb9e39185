import { z } from 'zod';
import { id } from '../../contract/ids.ts';

export const DataExport = z
  .object({
    id: id('exp'),
    status: z.enum(['PENDING', 'RUNNING', 'READY']).meta({
      description: 'READY: it can be downloaded for 24 hours.',
      example: 'RUNNING',
    }),
    progress: z.int().meta({ description: 'How much is done, in percent.', example: 40 }),
  })
  .meta({ id: 'DataExport', description: 'A download of what is stored about a person.' });
export type DataExport = z.output<typeof DataExport>;

export const ExportId = z.strictObject({ exportId: id('exp') });
