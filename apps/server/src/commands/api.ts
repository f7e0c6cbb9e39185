import { assertShared } from '../process-roles.ts';
import { serve } from '../serve.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Serves clients and leaves jobs to workers. */
export const api: Command = async (readSettings) => {
  const stopped = untilStopped();
  const env = readSettings();
  assertShared(env, 'api');
  return serve(env, { runsJobs: false, stopped });
};
