import { OldestFirst } from './oldest-first.ts';

interface Newcomer<Value> {
  key: string;
  value: Value;
  hash: number;
  isReused: boolean;
}

/** Few, so that what comes once is garbage while it is young. Both are powers of two. */
const NEWCOMERS = 256;
const FINGERPRINTS = 2 ** 14;
const HASHED_LENGTH = 64;

/**
 * A map that keeps what is asked for again, after S3-FIFO (Yang et al., SOSP 2023). Once it has `max` entries, a new
 * one stays for a moment only, unless it is asked for meanwhile, or soon set again. So a crowd that comes once removes
 * nothing, and costs next to no memory.
 */
export class S3Fifo<Value> {
  readonly #kept: OldestFirst<Value>;
  readonly #max: number;
  /** By hash, one in each place. Without a table that is made anew whenever so many have come and gone. */
  readonly #newcomers: (Newcomer<Value> | undefined)[] = [];
  /** Hashes of newcomers that have left. Another key may pass for one of them, and is then kept at once. */
  #left: Int32Array | undefined;

  constructor(max: number) {
    this.#max = max;
    this.#kept = new OldestFirst(max);
  }

  /** Without newcomers. */
  get size(): number {
    return this.#kept.size;
  }

  get(key: string): Value | undefined {
    const value = this.#kept.get(key);
    if (value !== undefined || !this.#left) return value;
    const newcomer = this.#newcomers[hashOf(key) & (NEWCOMERS - 1)];
    if (newcomer?.key !== key) return undefined;
    newcomer.isReused = true;
    return newcomer.value;
  }

  set(key: string, value: Value): void {
    if (this.#kept.size < this.#max || this.#kept.get(key) !== undefined) this.#keep(key, value);
    else this.#receive(key, value, hashOf(key));
  }

  #keep(key: string, value: Value): void {
    if (this.#left) this.#dismiss(key);
    this.#kept.set(key, value);
  }

  #receive(key: string, value: Value, hash: number): void {
    this.#left ??= new Int32Array(FINGERPRINTS);
    const before = this.#newcomers[hash & (NEWCOMERS - 1)];
    if (before?.key === key) before.value = value;
    else if (this.#left[hash & (FINGERPRINTS - 1)] === hash) this.#kept.set(key, value);
    else {
      this.#newcomers[hash & (NEWCOMERS - 1)] = { key, value, hash, isReused: false };
      if (before?.isReused) this.#kept.set(before.key, before.value);
      else if (before) this.#left[before.hash & (FINGERPRINTS - 1)] = before.hash;
    }
  }

  delete(key: string): void {
    this.#kept.delete(key);
    if (this.#left) this.#dismiss(key);
  }

  #dismiss(key: string): void {
    const at = hashOf(key) & (NEWCOMERS - 1);
    if (this.#newcomers[at]?.key === key) this.#newcomers[at] = undefined;
  }
}

/** FNV-1a of the end of a key. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, key.length - HASHED_LENGTH); at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
