import { createSecretKey, randomBytes } from 'node:crypto';
import { createSecretBox, deriveKey, type Keyring, mac } from '@rentapi/platform/secrets';

/** The stored forms of what proves a second factor. */
export interface TwoFactorSecrets {
  sealSeed(seed: string, userId: number): Buffer;
  /** Null where the secret that sealed it is gone. */
  openSeed(sealed: Buffer, userId: number): string | null;
  newBackupCode(): string;
  hashBackupCode(code: string): Buffer;
}

/**
 * Backup codes are hashed under ID_SECRET, which never changes: hashes cannot be made again when SECRET_KEY is rotated,
 * and codes on paper are valid for years.
 */
export function createTwoFactorSecrets({
  keyring,
  idSecret,
}: {
  keyring: Keyring;
  idSecret: string;
}): TwoFactorSecrets {
  const seeds = createSecretBox(keyring, 'rentapi/totp');
  const codeKey = createSecretKey(deriveKey(idSecret, 'rentapi/backup/code'));
  return {
    sealSeed: (seed, userId) => seeds.seal(seed, `totp ${userId}`),
    openSeed: (sealed, userId) => seeds.open(sealed, `totp ${userId}`),
    newBackupCode: () => toBase32(randomBytes(BACKUP_CODE_BYTES)),
    hashBackupCode: (code) => mac(codeKey, code),
  };
}

/** 120 bits are 24 characters. */
const BACKUP_CODE_BYTES = 15;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, of a multiple of 5 bytes, so that there is no padding. */
function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{5}/g, (five) => BASE32[Number.parseInt(five, 2)]!);
}
