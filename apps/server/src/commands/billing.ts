import { closePorts } from '@rentapi/api/ports';
import { FAULTS } from '@rentapi/api/slices/books/schemas';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { bootstrap } from '../bootstrap.ts';
import { isBuilt } from '../files.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

/** Exit code 1 where something does not add up. */
export function billing([action = '', ...rest]: string[], source: NodeJS.ProcessEnv): Command {
  if (action === 'simulate') return () => simulateBilling(rest, source);
  return async (env) => {
    if (action !== 'verify' || rest.length > 0) {
      printLine('Usage: rentapi billing verify | simulate');
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

async function simulateBilling(args: string[], source: NodeJS.ProcessEnv): Promise<number> {
  if (isBuilt) {
    printLine('`billing simulate` works on the sources: call it in a checkout of the repository.');
    return 2;
  }
  const { runSimulation } = await import('../dev/simulator/command.ts');
  return runSimulation(args, source);
}
