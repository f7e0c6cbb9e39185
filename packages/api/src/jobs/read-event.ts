import type { Ports } from '../context.ts';
import { ACROSS_ORGANIZATIONS } from '../data/tenant-model.ts';
import type { Job, RecordedEvent } from './job.ts';

/** Reads the event that causes a run; its data is parsed by the job's own schema. */
export async function readEvent({ database }: Ports, job: Job, eventId: number): Promise<RecordedEvent> {
  const event: RecordedEvent | undefined = await database('events')
    .comment(ACROSS_ORGANIZATIONS)
    .where({ id: eventId })
    .first('id', 'organizationId', 'type', 'data', 'createdAt');
  if (!event) throw new Error(`event ${eventId} is gone`);
  return { ...event, data: job.on!.data.parse(event.data) };
}
