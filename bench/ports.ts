import type { Ports } from '@rentapi/api/context';
import { openPorts } from '@rentapi/api/ports';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import type { Stage } from './stage.ts';

/** The product's parts in this process, on the database of the stage. Close them with `closePorts`. */
export function openStagePorts(stage: Stage, settings: Record<string, string> = {}): Ports {
  return openPorts({
    env: readEnv({ NODE_ENV: 'test', ...settings }),
    log: createLogger({ level: 'silent' }),
    databaseUrl: stage.databaseUrl,
    secrets: stage.secrets,
    mailer: { send: async () => {}, close: async () => {} },
    version: 'bench',
  });
}
