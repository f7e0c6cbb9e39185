import { closePorts } from '@rentapi/api/ports';
import { findBillingFaults } from '@rentapi/api/slices/credits/verify';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

/** Exit code 1 where something does not add up. */
export function billing([action = '']: string[]): Command {
  return async (env) => {
    if (action !== 'verify') {
      printLine('Usage: rentapi billing verify');
      return 2;
    }
    const { ports, embedded } = await bootstrap(env(), printLine, { attach: true });
    try {
      const faults = await findBillingFaults(ports.database);
      for (const [kind, count] of faults) process.stdout.write(`${kind}: ${count}\n`);
      printLine(faults.size > 0 ? 'The books do not balance.' : 'The books balance.');
      return faults.size > 0 ? 1 : 0;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}
