import { serve } from '../serve.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Everything in one process, with the embedded database unless DATABASE_URL names another. */
export const start: Command = async (readSettings) => {
  const stopped = untilStopped();
  return serve(readSettings(), { runsJobs: true, stopped });
};
