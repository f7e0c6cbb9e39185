import { QUEUES, type Queue } from '@rentapi/api/outbox/jobs';
import { startWorking } from '@rentapi/api/outbox/work';
import { closePorts } from '@rentapi/api/ports';
import { createProbeServer, type ProbeServer } from '../http/probe-server.ts';
import { open } from '../open.ts';
import { prepareDatabase } from '../prepare.ts';
import { assertShared } from '../roles.ts';
import { say } from '../say.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Does the work, of all queues or of those named, and serves nobody: with WORKER_PORT, it tells how it is. */
export function worker(args: string[]): Command {
  return async (readSettings) => {
    const queues = readQueues(args);
    if (!queues) {
      say(`Say which queues: rentapi worker --queues=${QUEUES.join(',')}; without, it is all of them.`);
      return 2;
    }
    const stopped = untilStopped();
    const env = readSettings();
    assertShared(env, 'worker');
    const opened = await open(env, say);
    let work: ReturnType<typeof startWorking> | undefined;
    let probes: ProbeServer | undefined;
    try {
      await prepareDatabase(opened);
      if (env.WORKER_PORT !== undefined) probes = await createProbeServer(opened.ports, env.WORKER_PORT);
      work = startWorking(opened.ports, opened.directUrl, { queues });
      say(`The worker is ready for ${queues.join(', ')}.`);
      if (probes)
        say(`It is probed on http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${probes.port}/health`);
      await stopped;
      say('Stopping: finishing the jobs under way.');
      opened.ports.process.draining = true;
      return 0;
    } finally {
      await work?.stop(); // whoever asks meanwhile is told that this process is stopping
      await probes?.close();
      await closePorts(opened.ports);
    }
  };
}

function readQueues([option, ...rest]: string[]): readonly Queue[] | undefined {
  if (option === undefined) return QUEUES;
  const names = /^--queues=(.+)$/.exec(option)?.[1]?.split(',') ?? [];
  const queues = QUEUES.filter((queue) => names.includes(queue));
  return rest.length === 0 && names.length > 0 && queues.length === new Set(names).size ? queues : undefined;
}
