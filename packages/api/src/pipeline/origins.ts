import type { Env } from '@rentapi/platform/env';
import { OldestFirst } from '@rentapi/platform/oldest-first';

/** Which web pages may open a connection. */
export interface Origins {
  /** Whether it is the product's own, named in the settings, or that of an active API key. */
  allows(origin: string): Promise<boolean>;
  /** Whether it is the product's own or named in the settings, so that cookies are for it; `*` names none. */
  isNamed(origin: string): boolean;
}

/** How long the origins of keys are remembered. A key that was revoked opens nothing, whatever its origin may. */
const MAX_AGE_MS = 10_000;
const MAX_REMEMBERED = 10_000;

/** `isOfKey` asks the database. */
export function createOrigins(
  { PUBLIC_URL, CONSOLE_URL, CORS_ORIGINS }: Pick<Env, 'PUBLIC_URL' | 'CONSOLE_URL' | 'CORS_ORIGINS'>,
  isOfKey: (origin: string) => Promise<boolean>,
): Origins {
  const own = [PUBLIC_URL, ...(CONSOLE_URL === undefined ? [] : [CONSOLE_URL])].map((url) => new URL(url).origin);
  const allowsAll = CORS_ORIGINS.includes('*');
  const named = new Set([...own, ...CORS_ORIGINS]);
  named.delete('*');
  const remembered = new OldestFirst<{ at: number; answer: Promise<boolean> }>(MAX_REMEMBERED);

  function askOnce(origin: string): Promise<boolean> {
    const now = performance.now();
    const known = remembered.get(origin);
    if (known && now - known.at < MAX_AGE_MS) return known.answer;
    const entry = { at: now, answer: isOfKey(origin) };
    entry.answer.catch(() => {
      if (remembered.get(origin) === entry) remembered.delete(origin);
    });
    remembered.set(origin, entry);
    return entry.answer;
  }

  return {
    allows: async (origin) => allowsAll || named.has(origin) || askOnce(origin),
    isNamed: (origin) => named.has(origin),
  };
}
