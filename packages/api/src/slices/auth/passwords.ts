import { createSecretKey } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { deriveKey, mac } from '@rentapi/platform/secrets';
import { dictionary } from '@zxcvbn-ts/language-common';
import bcrypt from 'bcrypt';
import pLimit from 'p-limit';
import { ApiError } from '../../contract/errors.ts';
import { createTurns, type InTurn } from './turns.ts';

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Costs the same for an account that does not exist (`hash` null), so that the time does not reveal it. */
  matches(password: string, hash: string | null): Promise<boolean>;
  /** Comparisons of one account and source wait for each other, so that a right one can end what it had reserved. */
  inTurn: InTurn;
  /** Throws `invalid_input` for a password that guessers try first. */
  assertUncommon(password: string, field: string): void;
}

const MAX_WAITING = 200;

/**
 * HMAC-SHA-256 with the pepper, then bcrypt: bcrypt alone ignores everything after byte 72, and a stolen table is
 * useless without the pepper. Concurrency is bounded, because bcrypt fills libuv's pool and would block every other
 * request.
 */
export function createPasswords(options: { pepper: string; cost: number; atOnce: number }): Passwords {
  const key = createSecretKey(deriveKey(options.pepper, 'rentapi/password'));
  const gate = pLimit(Math.max(1, Math.min(availableParallelism() - 1, 3)));
  const prepare = (password: string) => mac(key, password.normalize('NFKC')).toString('base64');
  // A well-formed hash that matches no password, at the same cost.
  const noMatch = `$2b$${String(options.cost).padStart(2, '0')}$${'.'.repeat(53)}`;

  function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (gate.pendingCount >= MAX_WAITING) throw new ApiError('overloaded', { retryAfterS: 5 });
    return gate(work);
  }

  return {
    hash: async (password) => bounded(() => bcrypt.hash(prepare(password), options.cost)),
    matches: async (password, hash) => bounded(() => bcrypt.compare(prepare(password), hash ?? noMatch)),
    inTurn: createTurns({ atOnce: options.atOnce, maxWaiting: 2 * MAX_WAITING }),
    assertUncommon(password, field) {
      if (!common().has(password.normalize('NFKC').toLowerCase())) return;
      throw new ApiError('invalid_input', {
        errors: [{ path: field, message: 'is one of the most common passwords: choose another' }],
      });
    },
  };
}

let commonPasswords: Set<string> | undefined;

function common(): Set<string> {
  commonPasswords ??= new Set(dictionary['passwords-common']);
  return commonPasswords;
}
