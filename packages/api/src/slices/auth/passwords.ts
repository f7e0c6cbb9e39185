import { createSecretKey, type KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { lowerBackgroundThreads } from '@rentapi/platform/background-threads';
import { deriveKey, mac } from '@rentapi/platform/secrets';
import bcrypt from 'bcrypt';
import pLimit from 'p-limit';
import { ApiError } from '../../contract/errors.ts';
import { createTurns, type InTurn } from './turns.ts';

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Costs the same for an account that does not exist (`hash` null), so that the time does not reveal it. */
  compare(password: string, hash: string | null): Promise<Comparison>;
  /**
   * Attempts run in the order of their arrival, a few at once: many that arrive together delay no other request,
   * because those that wait do nothing. Of one account and source they wait for each other, so that a right password
   * can end what it had reserved.
   */
  inTurn: InTurn;
}

export interface Comparison {
  right: boolean;
  /** The hash was made with an earlier pepper or another cost. */
  outdated: boolean;
}

const MAX_WAITING = 200;

interface Options {
  pepper: string;
  /** Earlier peppers: a hash that was made with one is right, and outdated. */
  oldPeppers?: readonly string[];
  cost: number;
  /** How many comparisons of one account and source run at once. */
  atOnce: number;
}

/**
 * HMAC-SHA-256 with the pepper, then bcrypt: bcrypt alone ignores everything after byte 72, and a stolen table is
 * useless without the pepper. A hash begins with the id of its pepper. Concurrency is bounded, because bcrypt fills
 * libuv's pool and would block every other request.
 */
export function createPasswords({ pepper, oldPeppers = [], cost, atOnce }: Options): Passwords {
  const current = pepperOf(pepper);
  const peppers = [current, ...oldPeppers.map(pepperOf)];
  const threads = Math.max(1, Math.min(availableParallelism() - 1, 3));
  const gate = pLimit(threads);
  const attempts = pLimit(2 * threads + 2); // enough for a thread never to wait for a statement
  const inTurnOfOne = createTurns({ atOnce, maxWaiting: 2 * MAX_WAITING });
  const prepare = (password: string, { key }: Pepper) => mac(key, password.normalize('NFKC')).toString('base64');

  let isLowered = false;

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (gate.pendingCount >= MAX_WAITING) throw new ApiError('overloaded', { retryAfterS: 5 });
    const result = await gate(work);
    if (!isLowered) lowerBackgroundThreads(); // they exist since the first hash
    isLowered = true;
    return result;
  }

  /** A hash that costs less is made up for, so that every wrong password costs the same. */
  async function compare(password: string, stored: string): Promise<Comparison> {
    const { pepperId, hash } = partsOf(stored);
    const used = pepperId ? peppers.find(({ id }) => id === pepperId) : peppers.at(-1);
    const hashCost = bcrypt.getRounds(hash);
    if (await bcrypt.compare(prepare(password, used ?? current), used ? hash : unmatchable(hashCost)))
      return { right: true, outdated: pepperId !== current.id || hashCost !== cost };
    for (let missing = hashCost; missing < cost; missing++) await bcrypt.compare('', unmatchable(missing));
    return { right: false, outdated: false };
  }

  return {
    hash: async (password) => bounded(async () => current.id + (await bcrypt.hash(prepare(password, current), cost))),
    compare: async (password, hash) => bounded(() => compare(password, hash ?? unmatchable(cost))),
    inTurn: (key, work) => inTurnOfOne(key, () => attempts(work)),
  };
}

/** A well-formed hash that matches no password. Each step of the cost doubles the work, so 2^n + 2^n is 2^(n + 1). */
const unmatchable = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

interface Pepper {
  id: string;
  key: KeyObject;
}

const ID_CHARACTERS = 8;

function pepperOf(secret: string): Pepper {
  const key = createSecretKey(deriveKey(secret, 'rentapi/password'));
  return { id: mac(key, 'key id').toString('hex').slice(0, ID_CHARACTERS), key };
}

/** What hashes that were made with this pepper begin with. */
export const pepperId = (secret: string): string => pepperOf(secret).id;

/** A hash without an id is of the first pepper of the deployment, which is the last in the list. */
function partsOf(stored: string): { pepperId: string; hash: string } {
  const at = stored.indexOf('$');
  return { pepperId: stored.slice(0, at), hash: stored.slice(at) };
}
