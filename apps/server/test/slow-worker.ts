import { setTimeout as sleep } from 'node:timers/promises';
import { createJobRegistry, job } from '@rentapi/api/jobs/job';
import { startJobProcessing } from '@rentapi/api/processes';
import { readEnv } from '@rentapi/platform/env';
import { z } from 'zod';
import { bootstrap } from '../src/bootstrap.ts';

/** A worker process with a short lease and one job, which never ends the first time: for a test that kills it. */
const slow = job({
  name: 'test.slow',
  queue: 'maintenance',
  data: z.object({ n: z.number() }),
  async run(_, { n }, { touch }) {
    process.stdout.write(`began ${n} in ${process.pid}\n`);
    while (process.argv[2] === 'forever') {
      await sleep(100);
      touch();
    }
    process.stdout.write(`ended ${n} in ${process.pid}\n`);
  },
});

const { ports, directUrl } = await bootstrap(readEnv(process.env), () => {});
startJobProcessing({ ...ports, jobs: createJobRegistry([slow]) }, directUrl, { leaseMs: 4000 });
process.stdout.write('ready\n');
