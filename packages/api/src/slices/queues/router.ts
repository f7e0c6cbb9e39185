import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  exampleJob,
  exampleJobDetails,
  exampleQueue,
  Job,
  JobDetails,
  JobId,
  JobPage,
  ListJobs,
  Queues,
} from './schemas.ts';
import { getJob, listJobs } from './service/find.ts';
import { listQueues } from './service/queues.ts';
import { retryJob } from './service/retry.ts';

const tags: [Tag] = ['Administration'];

/** Part of `admin`. */
export const queues = procedure({
  access: 'system:manage',
  openapi: {
    method: 'GET',
    path: '/admin/queues',
    tags,
    summary: 'List the queues of jobs',
    description:
      'What waits, runs and has failed in each, how many processes serve it, and its schedules. Work that was requested a moment ago is not counted yet.',
  },
  example: { output: { items: [exampleQueue], nextCursor: null } },
})
  .input(NoInput)
  .output(Queues)
  .query(({ ctx }) => listQueues(ctx));

/** `admin.jobs`. */
export const adminJobs = router({
  list: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/admin/jobs',
      tags,
      summary: 'List jobs',
      description:
        'Newest first: those that wait or run, those of 3 days that succeeded, and those of 30 days that failed.',
    },
    errors: ['invalid_cursor'],
    example: { input: { status: 'FAILED', limit: 25 }, output: { items: [exampleJob], nextCursor: null } },
  })
    .input(ListJobs)
    .output(JobPage)
    .query(({ ctx, input }) => listJobs(ctx, input)),

  get: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/admin/jobs/{jobId}',
      tags,
      summary: 'Get a job',
      description: 'With its input, its progress and the log of its attempts.',
    },
    errors: ['not_found'],
    example: { input: { jobId: exampleJob.id }, output: exampleJobDetails },
  })
    .input(JobId)
    .output(JobDetails)
    .query(({ ctx, input }) => getJob(ctx, input.jobId)),

  retry: procedure({
    access: 'system:manage',
    openapi: {
      method: 'POST',
      path: '/admin/jobs/{jobId}/retry',
      tags,
      summary: 'Retry a job that has failed',
      description:
        'It is due at once, with all its attempts, under the same id. It may have had a part of its effect already.',
    },
    errors: ['not_found', 'job_not_failed', 'job_superseded', 'job_unknown'],
    example: {
      input: { jobId: exampleJob.id },
      output: { ...exampleJob, status: 'WAITING', attempts: 0, dueAt: '2026-02-01T08:00:00.000Z', endedAt: null },
    },
  })
    .input(JobId)
    .output(Job)
    .mutation(({ ctx, input }) => retryJob(ctx, input.jobId)),
});
