import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  job_not_failed: {
    status: 409,
    title: 'Job not failed',
    meaning: 'The job waits, runs or has succeeded, so there is nothing to try again.',
    fix: 'Read the job again, and retry it only once its `status` is FAILED.',
    retry: 'no',
  },
  job_superseded: {
    status: 409,
    title: 'Job superseded',
    meaning: 'A later job for the same thing waits or runs, and only one of them may.',
    fix: 'Look at the later job: a list with the same `name` shows it first. Retry this one if that one fails, too.',
    retry: 'no',
  },
  job_unknown: {
    status: 409,
    title: 'Job of another release',
    meaning: 'This release has no job of that name, so no worker would run it.',
    fix: 'Leave it: it is deleted 30 days after it failed. Retry it only with a release that has the job.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
