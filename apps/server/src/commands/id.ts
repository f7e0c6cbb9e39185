import { ID_KINDS, prefixOf } from '@rentapi/api/contract/ids';
import { closePorts } from '@rentapi/api/ports';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

export function id([publicId = '']: string[]): Command {
  return async (env) => {
    const prefix = prefixOf(publicId);
    if (!prefix) {
      printLine(
        `Usage: rentapi id <public id>, one of ${Object.keys(ID_KINDS)
          .map((known) => `${known}_…`)
          .join(', ')}.`,
      );
      return 2;
    }
    const { ports, embedded } = await bootstrap(env(), printLine, { attach: true });
    try {
      process.stdout.write(`${ports.ids.decode(prefix, publicId)}\n`);
      return 0;
    } catch {
      printLine(`${publicId} was not made with this deployment's ID_SECRET.`);
      return 1;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}
