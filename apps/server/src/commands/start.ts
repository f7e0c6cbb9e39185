import { serve } from '../serve.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Everything in one process, the embedded database too where no other is named. */
export const start: Command = async (readSettings) => {
  const stopped = untilStopped();
  return serve(readSettings(), { runsJobs: true, stopped });
};
