import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readEnv } from './env.ts';
import { readPublicKeys, readSigningKey } from './signing-keys.ts';

const pem = ({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }) => ({
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
});
const ed = pem(generateKeyPairSync('ed25519'));
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 3072 }));
const short = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const curve = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));

describe('a signing key', () => {
  it.each([
    ['EdDSA', ed],
    ['RS256', rsa],
  ] as const)(
    'for %s is read from PEM, and only its public part is published',
    (algorithm, { privateKey, publicKey }) => {
      const key = readSigningKey(privateKey, algorithm);
      expect(key.jwk).toMatchObject({ alg: algorithm, use: 'sig', kid: key.kid });
      expect(JSON.stringify(key.jwk)).not.toMatch(/"(d|p|q|dp|dq|qi)"/);
      expect(readPublicKeys(publicKey)[0]!.kid).toBe(key.kid);
      expect(readSigningKey(privateKey.replaceAll('\n', '\\n'), algorithm).kid).toBe(key.kid);
    },
  );

  it('comes one after the other, where they are public', () => {
    expect(readPublicKeys(`${ed.publicKey}${rsa.publicKey}`).map(({ algorithm }) => algorithm)).toEqual([
      'EdDSA',
      'RS256',
    ]);
  });
});

describe('the setting', () => {
  it.each([
    [{ JWT_ALGORITHM: 'RS256' }, 'JWT_PRIVATE_KEY: required with JWT_ALGORITHM=RS256'],
    [{ JWT_PRIVATE_KEY: ed.privateKey }, 'JWT_PRIVATE_KEY: needs JWT_ALGORITHM=RS256 or EdDSA'],
    [{ JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: short.privateKey }, 'JWT_PRIVATE_KEY: has an RSA key of 2048 bits'],
    [{ JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: ed.privateKey }, 'JWT_PRIVATE_KEY: must be a key for RS256'],
    [{ JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: curve.privateKey }, 'JWT_PRIVATE_KEY: must be RSA or Ed25519'],
    [{ JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: 'no key' }, 'JWT_PRIVATE_KEY: must be a private key in PEM'],
    [{ JWT_PUBLIC_KEYS_OLD: short.publicKey }, 'JWT_PUBLIC_KEYS_OLD: has an RSA key of 2048 bits'],
    [{ JWT_PUBLIC_KEYS_OLD: 'no key' }, 'JWT_PUBLIC_KEYS_OLD: must be public keys in PEM'],
    [{ JWT_ALGORITHM: 'none' }, 'JWT_ALGORITHM'],
  ])('of a weak or wrong key stops the start (V11.2.3): %#', (settings, fault) => {
    expect(() => readEnv(settings)).toThrow(fault);
  });

  it('of a right one does not', () => {
    const env = readEnv({ JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ed.privateKey, JWT_PUBLIC_KEYS_OLD: rsa.publicKey });
    expect(env.JWT_ALGORITHM).toBe('EdDSA');
  });
});
