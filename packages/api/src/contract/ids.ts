import { unsafe } from '@noble/ciphers/aes.js';
import { deriveKey } from '@rentapi/platform/secrets';
import { z } from 'zod';
import { ApiError } from './errors.ts';

/** What has a public id, by prefix: its kind in the API, and the noun of sentences about it. */
export const ID_KINDS = {
  usr: { kind: 'user', noun: 'user' },
  org: { kind: 'organization', noun: 'organization' },
  key: { kind: 'api_key', noun: 'API key' },
  evt: { kind: 'event', noun: 'event' },
  ivt: { kind: 'invitation', noun: 'invitation' },
  rol: { kind: 'role', noun: 'role' },
  psk: { kind: 'passkey', noun: 'passkey' },
  sev: { kind: 'security_event', noun: 'security event' },
  avt: { kind: 'avatar', noun: 'picture' },
  mtr: { kind: 'meter', noun: 'meter' },
  exp: { kind: 'data_export', noun: 'export' },
  whk: { kind: 'webhook', noun: 'webhook' },
  dlv: { kind: 'webhook_delivery', noun: 'webhook delivery' },
  msg: { kind: 'chat_message', noun: 'chat message' },
  job: { kind: 'job', noun: 'job' },
  ovr: { kind: 'limit_override', noun: 'limit override' },
  inv: { kind: 'invoice', noun: 'invoice' },
  pay: { kind: 'payment', noun: 'payment' },
  rfd: { kind: 'refund', noun: 'refund' },
  dsp: { kind: 'dispute', noun: 'dispute' },
  pmt: { kind: 'payment_method', noun: 'payment method' },
  crd: { kind: 'credit_grant', noun: 'grant of credits' },
  sub: { kind: 'subscription', noun: 'subscription' },
  prc: { kind: 'price', noun: 'price' },
  aud: { kind: 'audit_log_entry', noun: 'audit log entry' },
} as const;

export type IdPrefix = keyof typeof ID_KINDS;

/**
 * A public id is the encrypted row id: prefix, `_`, and one AES-128 block (8 zero bytes ‖ the bigint, big-endian) in 26
 * characters of lowercase Crockford base32. The key is HKDF-SHA-256(ID_SECRET, `rentapi/id/<prefix>`). So ids show no
 * counts, neighbours cannot be guessed, and one number differs from kind to kind.
 */
export interface Ids {
  encode(prefix: IdPrefix, rowId: number): string;
  /** The row id. Throws `not_found` for text that `encode` did not make, as for a row that does not exist. */
  decode(prefix: IdPrefix, id: string): number;
  /** The whole address of a path of this server. Built from PUBLIC_URL, never from a request. */
  link(path: string): string;
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 32; value++) VALUES[CROCKFORD.charCodeAt(value)] = value;

/** Two characters for each ten bits: a page contains hundreds of ids. */
const PAIRS = Array.from({ length: 1024 }, (_, value) => CROCKFORD[value >> 5]! + CROCKFORD[value & 31]!);

const CHARACTERS = 26;

/** For the document: the pattern has checked it. */
const LENGTH = { maxLength: 'usr_'.length + CHARACTERS };

/** The wire form of an id. `ctx.ids.decode` decides whether it names a row. */
export function id(prefix: IdPrefix) {
  const noun = aOrAn(ID_KINDS[prefix].noun);
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[${CROCKFORD}]{${CHARACTERS}}$`), `must be the id of ${noun} (${prefix}_…)`)
    .meta({ description: `Id of ${noun}.`, example: exampleId(prefix), ...LENGTH });
}

/** The wire form of an id of one of several kinds, which `prefixOf` returns. */
export function anyId(prefixes: readonly IdPrefix[]) {
  const nouns = EITHER.format(prefixes.map((prefix) => aOrAn(ID_KINDS[prefix].noun)));
  const forms = prefixes.map((prefix) => `${prefix}_…`).join(', ');
  return z
    .string()
    .regex(
      new RegExp(`^(${prefixes.join('|')})_[${CROCKFORD}]{${CHARACTERS}}$`),
      `must be the id of ${nouns} (${forms})`,
    )
    .meta(LENGTH);
}

const EITHER = new Intl.ListFormat('en', { type: 'disjunction' });

/** The prefix of an id; undefined for text with no known prefix. */
export function prefixOf(publicId: string): IdPrefix | undefined {
  const prefix = publicId.split('_')[0]!;
  return isPrefix(prefix) ? prefix : undefined;
}

function isPrefix(text: string): text is IdPrefix {
  return Object.hasOwn(ID_KINDS, text);
}

/** A well-formed id for documents; it decodes to nothing. */
export function exampleId(prefix: IdPrefix): string {
  return `${prefix}_2x4mzwq6v0d8k3r7n5t9b1c6gh`;
}

export function createIds(idSecret: string, publicUrl: () => string = () => ''): Ids {
  const block = new DataView(new ArrayBuffer(16)); // reused: both directions are synchronous
  const ciphers = Object.fromEntries(
    (Object.keys(ID_KINDS) as IdPrefix[]).map((prefix) => {
      const key = new Uint8Array(deriveKey(idSecret, `rentapi/id/${prefix}`).subarray(0, 16));
      return [prefix, { encrypt: unsafe.expandKeyLE(key), decrypt: unsafe.expandKeyDecLE(key) }];
    }),
  ) as Record<IdPrefix, { encrypt: Uint32Array; decrypt: Uint32Array }>;

  return {
    link: (path) => publicUrl() + path,
    encode(prefix, rowId) {
      if (!Number.isSafeInteger(rowId) || rowId < 1) throw new RangeError(`${rowId} is not the id of a row`);
      block.setUint32(8, Math.floor(rowId / 2 ** 32));
      block.setUint32(12, rowId >>> 0);
      const out = unsafe.encrypt(ciphers[prefix].encrypt, 0, 0, block.getUint32(8, true), block.getUint32(12, true));
      setWords(block, out);
      return `${prefix}_${toBase32(block)}`;
    },
    decode(prefix, publicId) {
      if (!publicId.startsWith(`${prefix}_`) || !fromBase32(publicId.slice(prefix.length + 1), block))
        throw new ApiError('not_found');
      const word = (at: number) => block.getUint32(at, true);
      const out = unsafe.decrypt(ciphers[prefix].decrypt, word(0), word(4), word(8), word(12));
      setWords(block, out);
      const rowId = block.getUint32(8) * 2 ** 32 + block.getUint32(12);
      if (block.getUint32(0) !== 0 || block.getUint32(4) !== 0 || !Number.isSafeInteger(rowId) || rowId < 1) {
        throw new ApiError('not_found');
      }
      return rowId;
    },
  };
}

function setWords(block: DataView, words: { s0: number; s1: number; s2: number; s3: number }): void {
  block.setUint32(0, words.s0, true);
  block.setUint32(4, words.s1, true);
  block.setUint32(8, words.s2, true);
  block.setUint32(12, words.s3, true);
}

function toBase32(block: DataView): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (let at = 0; at < 16; at++) {
    held = ((held & 1023) << 8) | block.getUint8(at);
    bits += 8;
    if (bits < 10) continue;
    bits -= 10;
    text += PAIRS[(held >> bits) & 1023];
  }
  return text + PAIRS[(held << 2) & 1023]; // 128 bits are 25 characters and 3 bits: two spare bits, zero
}

function fromBase32(text: string, block: DataView): boolean {
  if (text.length !== CHARACTERS) return false;
  let held = 0;
  let bits = 0;
  let byte = 0;
  for (let at = 0; at < CHARACTERS; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? -1;
    if (value < 0) return false;
    held = ((held << 5) | value) & 0x1fff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      block.setUint8(byte++, (held >> bits) & 255);
    }
  }
  return (held & 3) === 0; // spare bits must be zero, or each id would have four spellings
}

function aOrAn(noun: string): string {
  return /^[AEIOUaeio]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}
