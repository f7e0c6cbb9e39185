import { seedDemoData } from '@rentapi/api/demo-data';
import { closePorts } from '@rentapi/api/ports';
import { BadSettingError } from '@rentapi/platform/env';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

export const seed: Command = async (env) => {
  const settings = env();
  if (settings.production)
    throw new BadSettingError('NODE_ENV: demo accounts have published passwords and are refused in production.');
  const { ports, embedded } = await bootstrap(settings, printLine, { attach: true });
  try {
    const seeded = await seedDemoData(ports);
    printLine(seeded ? 'The demo data was added.' : 'The database is not empty: nothing was changed.');
    return 0;
  } finally {
    await closePorts(ports);
    await embedded?.stop();
  }
};
