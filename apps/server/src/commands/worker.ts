import { QUEUES, type Queue } from '@rentapi/api/jobs/job';
import { closePorts } from '@rentapi/api/ports';
import { startJobProcessing } from '@rentapi/api/processes';
import { collectGarbage } from '@rentapi/platform/collect-garbage';
import { bootstrap } from '../bootstrap.ts';
import { createProbeServer, type ProbeServer } from '../http/probe-server.ts';
import { prepareDatabase } from '../prepare.ts';
import { printLine } from '../print-line.ts';
import { assertShared } from '../process-roles.ts';
import { untilStopped } from '../signals.ts';
import type { Command } from './index.ts';

/** Runs the jobs of all queues, or of those named. Serves no clients; with WORKER_PORT it answers probes. */
export function worker(args: string[]): Command {
  return async (readSettings) => {
    const queues = readQueues(args);
    if (typeof queues === 'string') {
      printLine(queues);
      return 2;
    }
    const stopped = untilStopped();
    const env = readSettings();
    assertShared(env, 'worker');
    const opened = await bootstrap(env, printLine);
    let work: ReturnType<typeof startJobProcessing> | undefined;
    let probes: ProbeServer | undefined;
    try {
      await prepareDatabase(opened);
      await collectGarbage();
      if (env.WORKER_PORT !== undefined) probes = await createProbeServer(opened.ports, env.WORKER_PORT);
      work = startJobProcessing(opened.ports, opened.directUrl, { queues });
      printLine(`The worker is ready for ${queues.join(', ')}.`);
      if (probes)
        printLine(
          `Probes are answered on http://${env.HOST.includes(':') ? `[${env.HOST}]` : env.HOST}:${probes.port}/health`,
        );
      await stopped;
      printLine('Stopping: finishing the jobs under way.');
      opened.ports.process.draining = true;
      return 0;
    } finally {
      await work?.stop(); // until then, probes answer that this process is stopping
      await probes?.close();
      await closePorts(opened.ports);
    }
  };
}

/** The queues, or a sentence on what is wrong with the options. */
function readQueues([option, ...rest]: string[]): readonly Queue[] | string {
  if (option === undefined) return QUEUES;
  const list = /^--queues=(.*)$/.exec(option)?.[1];
  if (list === undefined || rest.length > 0) return `Usage: rentapi worker [--queues=${QUEUES.join(',')}]`;
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !QUEUES.some((queue) => queue === name));
  if (unknown.length > 0)
    return `There is no queue ${unknown.map((name) => `"${name}"`).join(', ')}: there are ${QUEUES.join(', ')}.`;
  return QUEUES.filter((queue) => names.includes(queue));
}
