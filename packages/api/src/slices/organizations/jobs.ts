import { job } from '../../jobs/job.ts';
import { purgeDeletedOrganizations } from './service/purge.ts';

export const purgeOrganizations = job({
  name: 'organizations.purge_deleted',
  queue: 'maintenance',
  every: '17 3 * * *',
  concurrency: 1,
  run: (ctx, _, control) => purgeDeletedOrganizations(ctx, control),
});
