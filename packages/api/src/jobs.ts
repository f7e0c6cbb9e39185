import type { Job } from './outbox/jobs.ts';
import * as auth from './slices/auth/jobs.ts';
import * as invitations from './slices/invitations/jobs.ts';
import * as realtime from './slices/realtime/jobs.ts';
import * as system from './slices/system/jobs.ts';

/** Every job of the product. */
export const jobs: Job[] = [auth, invitations, realtime, system].flatMap((slice) => Object.values(slice));
