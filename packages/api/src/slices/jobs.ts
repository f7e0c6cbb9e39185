import type { Job } from '../jobs/job.ts';
import * as mail from '../mail/jobs.ts';
import * as auth from './auth/jobs.ts';
import * as invitations from './invitations/jobs.ts';
import * as realtime from './realtime/jobs.ts';
import * as system from './system/jobs.ts';

/** Every job of the product. */
export const jobs: Job[] = [auth, invitations, mail, realtime, system].flatMap((slice) => Object.values(slice));
