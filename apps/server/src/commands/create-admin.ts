import { text } from 'node:stream/consumers';
import { closePorts } from '@rentapi/api/ports';
import { ensureSuperAdmin } from '@rentapi/api/superusers';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

export function createAdmin([email = '']: string[]): Command {
  return async (env) => {
    if (!email.includes('@')) {
      printLine('Usage: rentapi create-admin ada@example.com < password.txt');
      return 2;
    }
    if (process.stdin.isTTY) printLine('Password, then Enter and Ctrl-D:');
    const password = (await text(process.stdin)).replace(/\r?\n$/, '');
    const { ports, embedded } = await bootstrap(env(), printLine, { attach: true });
    try {
      const { existed } = await ensureSuperAdmin(ports, { email, password });
      printLine(`${email} is SUPER_ADMIN${existed ? '; the account existed, and its password was replaced' : ''}.`);
      return 0;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}
