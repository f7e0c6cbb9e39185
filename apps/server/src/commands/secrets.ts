import { closePorts } from '@rentapi/api/ports';
import { resealSecrets } from '@rentapi/api/sealed-columns';
import { bootstrap } from '../bootstrap.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

/** Exit code 1 where a value cannot be opened. */
export function secrets([action = '']: string[]): Command {
  return async (env) => {
    if (action !== 'reseal') {
      printLine('Usage: rentapi secrets reseal');
      return 2;
    }
    const { ports, embedded } = await bootstrap(env(), printLine, { attach: true });
    try {
      const { resealed, lost } = await resealSecrets(ports.database, ports.keyring);
      printLine(`${resealed} values are sealed anew under SECRET_KEY.`);
      if (lost > 0) printLine(`${lost} values cannot be opened: name the secret that sealed them in SECRET_KEYS_OLD.`);
      return lost > 0 ? 1 : 0;
    } finally {
      await closePorts(ports);
      await embedded?.stop();
    }
  };
}
