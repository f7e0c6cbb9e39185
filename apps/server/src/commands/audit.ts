import { closePorts } from '@rentapi/api/ports';
import { type BrokenLink, verifyAuditChains } from '@rentapi/api/slices/audit/verify';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

/**
 * Exit code 1 where a chain is broken. The printed end of a chain, kept elsewhere, proves later that the chain is
 * unchanged.
 */
export function audit([action = '']: string[]): Command {
  return async (env) => {
    if (action !== 'verify') {
      printLine('Usage: rentapi audit verify');
      return 2;
    }
    const { ports, embedded } = await bootstrap(env(), printLine, { attach: true });
    try {
      let broken = 0;
      for await (const chain of verifyAuditChains(ports.database)) {
        const name = chain.organizationId === null ? 'no organization' : ports.ids.encode('org', chain.organizationId);
        if (chain.broken) broken++;
        const state = chain.broken
          ? `broken after ${chain.entries} entries: ${describeBrokenLink(chain.broken, (id) => ports.ids.encode('aud', id))}`
          : `${chain.entries} entries, end ${chain.end}`;
        process.stdout.write(`${name}: ${state}\n`);
      }
      printLine(broken > 0 ? `${broken} chains are broken.` : 'Every chain is intact.');
      return broken > 0 ? 1 : 0;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}

function describeBrokenLink(
  { entryId, position, action, what }: BrokenLink,
  idOf: (entryId: number) => string,
): string {
  if (entryId === null) return `entries after position ${position} are missing`;
  const entry = `${idOf(entryId)} (position ${position}, ${action})`;
  return what === 'content'
    ? `${entry} was changed, or one before it was removed or added`
    : `the personal part of ${entry} was changed`;
}
