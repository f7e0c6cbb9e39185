import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { QUEUES } from '../../jobs/job.ts';

/** Counting stops here: the exact number is of no use, and counting costs time for every row. */
export const MAX_COUNTED = 10_000;

const Queue = z.enum(QUEUES).meta({ id: 'JobQueue', description: 'A group of jobs.', example: 'emails' });
const counted = (what: string) => z.int().meta({ description: `${what}, counted up to ${MAX_COUNTED}.`, example: 0 });

const Schedule = z
  .object({
    name: z.string().meta({ description: 'The name of the job.', example: 'webhooks.sweep' }),
    every: z
      .string()
      .meta({ description: 'How often: an interval, or a cron expression in UTC.', example: '5 minutes' }),
    nextAt: Timestamp.nullable().meta({
      description: 'When it is due next; null until a worker of the queue has run.',
    }),
  })
  .meta({ id: 'JobSchedule', description: 'A job that comes back.' });

export const QueueState = z
  .object({
    queue: Queue,
    waiting: counted('Jobs whose time has not come: later ones, and failed ones that are tried again'),
    due: counted('Jobs that could run now'),
    running: counted('Jobs that a worker holds'),
    failed: counted('Jobs whose attempts are used up'),
    oldestDueSeconds: z.number().nullable().meta({
      description: 'For how long the first of those that are due has waited; null without any.',
      example: 0.4,
    }),
    workers: z.int().meta({ description: 'Processes that serve this queue now.', example: 2 }),
    concurrency: z.int().meta({ description: 'How many jobs these processes run at once, together.', example: 20 }),
    schedules: z.array(Schedule).meta({ description: 'The jobs of this queue that come back.' }),
  })
  .meta({ id: 'QueueState', description: 'A queue of jobs, and what is in it.' });
export type QueueState = z.output<typeof QueueState>;

export const Queues = page('Queues', QueueState);
export type Queues = z.output<typeof Queues>;

export const JOB_STATUSES = ['WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;
const Status = z.enum(JOB_STATUSES).meta({
  id: 'JobStatus',
  description:
    '`WAITING`: until `dueAt`, or for a worker. `RUNNING`: a worker holds it. `SUCCEEDED`: kept for 3 days. `FAILED`: its attempts are used up; kept for 30 days.',
  example: 'FAILED',
});
const ErrorText = z.string().meta({
  description: 'What went wrong, without credentials and addresses.',
  example: 'Error: connect ECONNREFUSED 192.0.2.1:587',
});

export const Job = z
  .object({
    id: id('job'),
    name: z.string().meta({ description: 'What kind of work it is.', example: 'auth.mail_verification' }),
    queue: Queue.nullable().meta({ description: 'Its queue; null for a name that this release does not know.' }),
    status: Status,
    attempts: z.int().meta({ description: 'How often it was started since it was enqueued or retried.', example: 20 }),
    maxAttempts: z.int().nullable().meta({
      description: 'After so many it has failed; null for a name that this release does not know.',
      example: 20,
    }),
    progress: z.number().nullable().meta({
      description: 'Of a running job, from 0 to 1; null where it does not say.',
      example: null,
    }),
    error: ErrorText.nullable().meta({ description: 'What went wrong last; null if nothing did.' }),
    createdAt: CreatedAt,
    dueAt: Timestamp.nullable().meta({ description: 'When it may start; null unless it waits.' }),
    startedAt: Timestamp.nullable().meta({ description: 'When its present or successful attempt began.' }),
    endedAt: Timestamp.nullable().meta({ description: 'When it succeeded or failed for good.' }),
  })
  .meta({ id: 'Job', description: 'Work that is done apart from the calls that cause it.' });
export type Job = z.output<typeof Job>;

const Attempt = z
  .object({
    attempt: z.int().meta({ description: 'Counts from 1, and again from 1 after a retry by hand.', example: 20 }),
    outcome: z.enum(['FAILED', 'LOST']).meta({
      description: '`FAILED`: it ended with an error. `LOST`: its worker died, or could not say that it lives.',
      example: 'FAILED',
    }),
    startedAt: Timestamp.nullable().meta({ description: 'When it began.' }),
    endedAt: Timestamp.nullable().meta({ description: 'When it ended; null where that is not known.' }),
    error: ErrorText.nullable().meta({ description: 'What went wrong; null where that is not known.' }),
  })
  .meta({ id: 'JobAttempt', description: 'An attempt that did not succeed.' });
export type Attempt = z.output<typeof Attempt>;

export const JobDetails = Job.extend({
  input: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .nullable()
    .meta({
      description:
        'What it works on: public ids, times and the like; anything that could be secret or personal is `[redacted]`. Null once it has succeeded.',
      example: { eventId: exampleId('evt') },
    }),
  log: z.array(Attempt).meta({ description: 'Its newest 50 attempts that did not succeed, the newest first.' }),
}).meta({ id: 'JobDetails', description: 'A job, its input, and the log of its attempts.' });
export type JobDetails = z.output<typeof JobDetails>;

export const ListJobs = pageInput({
  queue: Queue.optional().meta({ description: 'Only those of this queue.' }),
  name: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Only those of this name.', example: 'webhooks.recover' }),
  status: Status.optional().meta({ description: 'Only those with this status.' }),
});
export type ListJobs = z.output<typeof ListJobs>;
export const JobPage = page('JobPage', Job);
export type JobPage = z.output<typeof JobPage>;

export const JobId = z.strictObject({ jobId: id('job') });
export type JobId = z.output<typeof JobId>;

export const exampleJob: Job = {
  id: exampleId('job'),
  name: 'auth.mail_verification',
  queue: 'emails',
  status: 'FAILED',
  attempts: 20,
  maxAttempts: 20,
  progress: null,
  error: 'Error: connect ECONNREFUSED 192.0.2.1:587',
  createdAt: '2026-01-31T12:00:00.000Z',
  dueAt: null,
  startedAt: null,
  endedAt: '2026-01-31T22:04:11.031Z',
};

export const exampleJobDetails: JobDetails = {
  ...exampleJob,
  input: { eventId: exampleId('evt') },
  log: [
    {
      attempt: 20,
      outcome: 'FAILED',
      startedAt: '2026-01-31T22:04:10.918Z',
      endedAt: '2026-01-31T22:04:11.031Z',
      error: 'Error: connect ECONNREFUSED 192.0.2.1:587',
    },
  ],
};

export const exampleQueue: QueueState = {
  queue: 'webhooks',
  waiting: 1,
  due: 0,
  running: 1,
  failed: 0,
  oldestDueSeconds: null,
  workers: 2,
  concurrency: 20,
  schedules: [{ name: 'webhooks.sweep', every: '5 minutes', nextAt: '2026-01-31T12:05:00.000Z' }],
};
