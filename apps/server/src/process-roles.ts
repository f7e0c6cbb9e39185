import { BadSettingError, type Env } from '@rentapi/platform/env';

/** Processes that share the work must share their state: a limit counted in one process would not hold in the other. */
export function assertShared(env: Env, role: 'api' | 'worker'): void {
  for (const [name, what] of [
    ['DATABASE_URL', 'the embedded database belongs to one process'],
    ['REDIS_URL', 'limits, cache and messages are shared through Redis'],
  ] as const) {
    if (!env[name]) {
      throw new BadSettingError(
        `${name}: required by \`rentapi ${role}\`, because ${what}; \`rentapi start\` does everything in one process.`,
      );
    }
  }
}
