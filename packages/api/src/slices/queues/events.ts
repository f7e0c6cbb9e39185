import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';

export const JobRetried = event('job.retried', {
  data: z.object({ id: id('job'), name: z.string() }),
  audience: 'person',
  description: 'An administrator of the platform had a failed job tried again.',
  example: { id: exampleId('job'), name: 'webhooks.recover' },
});
