import { event } from '../../events/event.ts';
import { exampleMeter, Meter } from './schemas.ts';

const visibleToOrganization = { data: Meter, audience: 'organization', permission: 'analytics:read' } as const;

export const MeterCreated = event('meter.created', {
  ...visibleToOrganization,
  description: 'A meter was created.',
  example: exampleMeter,
});
export const MeterArchived = event('meter.archived', {
  ...visibleToOrganization,
  description: 'A meter was archived: it takes no more events, and its values can still be read.',
  example: { ...exampleMeter, archivedAt: '2026-02-28T12:00:00.000Z' },
});
