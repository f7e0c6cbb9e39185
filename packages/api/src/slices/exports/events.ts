import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { exampleUser } from '../users/schemas.ts';

const data = z.object({ id: id('usr'), email: z.string(), exportId: id('exp') });
const example = { id: exampleUser.id, email: exampleUser.email, exportId: exampleId('exp') };

export const ExportRequested = event('user.export_requested', {
  data,
  audience: 'person',
  description: 'A user asked for a copy of their data.',
  example,
});
export const ExportReady = event('user.export_ready', {
  data,
  audience: 'person',
  description: 'The copy of their data that a user asked for can be downloaded.',
  example,
});
