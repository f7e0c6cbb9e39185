import type { Env } from '@rentapi/platform/env';
import { OldestFirst } from '@rentapi/platform/oldest-first';
import { isOrigin } from '@rentapi/platform/origins';
import pLimit from 'p-limit';
import { ApiError } from '../contract/errors.ts';

/** Which web pages may open a connection, or send a request. */
export interface Origins {
  /** Whether it is the product's own, named in the settings, or that of an active API key. */
  allows(origin: string): Promise<boolean>;
  /**
   * Whether an active API key works from it; not of which organization. `beforeAsking` runs where the answer is not
   * remembered.
   */
  isOfKey(origin: string, beforeAsking?: () => Promise<void>): Promise<boolean>;
  /** Whether it is the product's own or named in the settings, so that cookies are for it; `*` names none. */
  isNamed(origin: string): boolean;
}

/**
 * A page of a named origin, as the URL parser writes it, so that a browser cannot read another host in it; null for any
 * other text.
 */
export function namedPage(origins: Origins, text: string): string | null {
  const url = URL.parse(text);
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
  if (!isPlain || !/^https?:\/\/[^\\\s]+$/i.test(text) || !origins.isNamed(url.origin)) return null;
  return url.href;
}

/** A second, less the time that a question may take: so a revoked or changed key is noticed in every process. */
const MAX_AGE_MS = 900;
const MAX_REMEMBERED = 10_000;
/** No key has a longer one. */
const MAX_ORIGIN_LENGTH = 300;
/** However many origins are invented, no more connections are taken from others. */
const AT_ONCE = 2;
const MAX_WAITING = 100;

/** `askWhetherOfKey` asks the database. */
export function createOrigins(
  { PUBLIC_URL, CONSOLE_URL, CORS_ORIGINS }: Pick<Env, 'PUBLIC_URL' | 'CONSOLE_URL' | 'CORS_ORIGINS'>,
  askWhetherOfKey: (origin: string) => Promise<boolean>,
): Origins {
  const own = [PUBLIC_URL, ...(CONSOLE_URL === undefined ? [] : [CONSOLE_URL])].map((url) => new URL(url).origin);
  const allowsAll = CORS_ORIGINS.includes('*');
  const named = new Set([...own, ...CORS_ORIGINS]);
  named.delete('*');
  const remembered = new OldestFirst<{ at: number; answer: Promise<boolean> }>(MAX_REMEMBERED);
  const gate = pLimit(AT_ONCE);

  function recall(origin: string): Promise<boolean> | undefined {
    const known = remembered.get(origin);
    return known && performance.now() - known.at < MAX_AGE_MS ? known.answer : undefined;
  }

  function ask(origin: string): Promise<boolean> {
    if (gate.pendingCount >= MAX_WAITING) throw new ApiError('overloaded', { retryAfterS: 1 });
    const entry = { at: performance.now(), answer: gate(() => askWhetherOfKey(origin)) };
    entry.answer.catch(() => {
      if (remembered.get(origin) === entry) remembered.delete(origin);
    });
    remembered.set(origin, entry);
    return entry.answer;
  }

  async function isOfKey(origin: string, beforeAsking?: () => Promise<void>): Promise<boolean> {
    if (origin.length > MAX_ORIGIN_LENGTH || !isOrigin(origin)) return false;
    const known = recall(origin);
    if (known) return known;
    await beforeAsking?.();
    return recall(origin) ?? ask(origin);
  }

  return {
    allows: async (origin) => allowsAll || named.has(origin) || isOfKey(origin),
    isOfKey,
    isNamed: (origin) => named.has(origin),
  };
}
