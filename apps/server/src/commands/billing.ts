import { closePorts } from '@rentapi/api/ports';
import { FAULTS } from '@rentapi/api/slices/books/schemas';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
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
      const faults = await findBillingFaults(ports.database, ports.clock.now());
      for (const { kind, organizationId, count } of faults) {
        const owner = organizationId === null ? '' : ` of ${ports.ids.encode('org', organizationId)}`;
        process.stdout.write(`${kind}${owner}: ${count}. ${FAULTS[kind]}\n`);
      }
      printLine(faults.length > 0 ? 'The books do not balance.' : 'The books balance.');
      return faults.length > 0 ? 1 : 0;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}
