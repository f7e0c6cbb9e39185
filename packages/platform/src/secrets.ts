import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/**
 * Keys derived from SECRET_KEY, one per purpose (HKDF-SHA-256, info = purpose), so that no two uses share a key.
 * The current secret signs and seals; the old ones only read and verify. Node would make a key of bytes again for
 * every use, at several times the cost of the use itself.
 */
export interface Keyring {
  /** The 32-byte key of a purpose, under the current secret. */
  key(purpose: string): KeyObject;
  /** The same under the current secret and each old one, current first. */
  keys(purpose: string): KeyObject[];
}

export function createKeyring(secret: string, old: readonly string[] = []): Keyring {
  const derived = new Map<string, KeyObject[]>();
  const keys = (purpose: string): KeyObject[] => {
    let found = derived.get(purpose);
    if (!found) {
      found = [secret, ...old].map((s) => createSecretKey(deriveKey(s, purpose)));
      derived.set(purpose, found);
    }
    return found;
  };
  return { keys, key: (purpose) => keys(purpose)[0]! };
}

/** 32 bytes of HKDF-SHA-256 (RFC 5869), empty salt, info = purpose. */
export function deriveKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
}

/** HMAC-SHA-256 as bytes. */
export function mac(key: KeyObject, data: string | Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Compares in constant time; unequal lengths are unequal. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM: nonce ‖ ciphertext ‖ tag. `context` is authenticated, so that a sealed value cannot be moved elsewhere.
 */
export function seal(key: KeyObject | Buffer, plaintext: string, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext, or null where the key, the context or a byte differs. */
export function unseal(key: KeyObject | Buffer, sealed: Buffer, context: string): string | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}

/** For secrets that must be read back: webhook secrets, TOTP seeds, tokens of other services. */
export interface SecretBox {
  /** Seals under the current secret. `context` says where the value belongs, and must be the same to open it. */
  seal(plaintext: string, context: string): Buffer;
  /** Opens with the secret that sealed it; null where the context or a byte differs, or that secret is gone. */
  open(sealed: Buffer, context: string): string | null;
  /** What sealed values begin with: of the current secret first, then of each old one. */
  keyIds: readonly Buffer[];
}

export const KEY_ID_BYTES = 4;

/** Sealed values begin with the id of their key, so that SECRET_KEYS_OLD can open them after SECRET_KEY was rotated. */
export function createSecretBox(keyring: Keyring, purpose: string): SecretBox {
  const keys = keyring.keys(purpose).map((key) => ({ key, id: mac(key, 'key id').subarray(0, KEY_ID_BYTES) }));
  const [current] = keys;
  return {
    keyIds: keys.map(({ id }) => id),
    seal: (plaintext, context) => Buffer.concat([current!.id, seal(current!.key, plaintext, context)]),
    open(sealed, context) {
      for (const { key, id } of keys) {
        if (!sealed.subarray(0, KEY_ID_BYTES).equals(id)) continue;
        const opened = unseal(key, sealed.subarray(KEY_ID_BYTES), context);
        if (opened !== null) return opened; // ids are short: two keys may share one
      }
      return null;
    },
  };
}
