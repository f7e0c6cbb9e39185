import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `rapi_live_<30 base62><6 base62>`: the last six are the CRC-32 of all before them, so that a mistyped or invented key
 * is refused without a query, and secret scanners recognise a real one. 30 base62 characters are 178 random bits.
 */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 30;
const CHECK_CHARACTERS = 6;
const SHAPE = /^[a-z][a-z0-9]{1,15}_(?:live|test)_[0-9A-Za-z]{36}$/;

export type KeyEnvironment = 'live' | 'test';

export function newSecret(prefix: string, environment: KeyEnvironment): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => BASE62[randomInt(62)]).join('');
  const body = `${prefix}_${environment}_${random}`;
  return body + checksum(body);
}

/** False for text that `newSecret` cannot have made, under any prefix, old ones included. */
export function isWellFormed(secret: string): boolean {
  return SHAPE.test(secret) && checksum(secret.slice(0, -CHECK_CHARACTERS)) === secret.slice(-CHECK_CHARACTERS);
}

export const hashSecret = (secret: string): Buffer => hash('sha256', secret, 'buffer');

/** The part shown to recognise a key: its prefix and four characters, which are no help in guessing the rest. */
export const displayPrefix = (secret: string): string => secret.slice(0, secret.lastIndexOf('_') + 5);

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let at = 0; at < CHECK_CHARACTERS; at++) {
    text = BASE62[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
