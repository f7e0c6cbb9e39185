import type { Job } from './outbox/jobs.ts';
import { mailRepeatedRegistration, mailVerification, mailVerificationAgain } from './slices/auth/jobs.ts';

/** Every job of the product. */
export const jobs: Job[] = [mailVerification, mailVerificationAgain, mailRepeatedRegistration];
