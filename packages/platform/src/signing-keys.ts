import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

export const KEY_ALGORITHMS = ['RS256', 'EdDSA'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** A public key that verifies signatures. Its kind decides the algorithm, so that no token can choose one. */
export interface PublicSigningKey {
  /** The thumbprint of the key (RFC 7638). */
  kid: string;
  algorithm: KeyAlgorithm;
  key: KeyObject;
  /** As a JWKS publishes it. */
  jwk: JsonWebKey;
}

export interface SigningKey extends PublicSigningKey {
  privateKey: KeyObject;
}

const MIN_RSA_BITS = 3072;

/** Its message follows the name of a setting. */
export class SigningKeyError extends Error {
  override name = 'SigningKeyError';
}

/** A private key as PEM (PKCS #8); line breaks may be written as \n, for settings of one line. */
export function readSigningKey(pem: string, algorithm: KeyAlgorithm): SigningKey {
  const privateKey = parse(() => createPrivateKey(unescaped(pem)), 'must be a private key in PEM (openssl genpkey)');
  const publicKey = describe(createPublicKey(privateKey));
  if (publicKey.algorithm !== algorithm) throw new SigningKeyError(`must be a key for ${algorithm}: ${HOW[algorithm]}`);
  return { ...publicKey, privateKey };
}

/** Public keys as PEM, one after the other. */
export function readPublicKeys(pems: string): PublicSigningKey[] {
  const blocks = unescaped(pems).match(/-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0) throw new SigningKeyError('must be public keys in PEM (openssl pkey -pubout)');
  return blocks.map((pem) => describe(parse(() => createPublicKey(pem), 'has a key that cannot be read')));
}

const HOW: Record<KeyAlgorithm, string> = {
  RS256: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  EdDSA: 'openssl genpkey -algorithm ed25519',
};

const unescaped = (pem: string): string => pem.replaceAll('\\n', '\n');

function parse(read: () => KeyObject, fault: string): KeyObject {
  try {
    return read();
  } catch (error) {
    throw new SigningKeyError(fault, { cause: error });
  }
}

const ALGORITHMS: Record<string, KeyAlgorithm> = { rsa: 'RS256', ed25519: 'EdDSA' };

function describe(key: KeyObject): PublicSigningKey {
  const algorithm = ALGORITHMS[key.asymmetricKeyType ?? ''];
  if (!algorithm) throw new SigningKeyError('must be RSA or Ed25519 keys');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS;
  if (bits < MIN_RSA_BITS)
    throw new SigningKeyError(`has an RSA key of ${bits} bits: at least ${MIN_RSA_BITS} are required (${HOW.RS256})`);
  const jwk = key.export({ format: 'jwk' });
  const kid = thumbprint(jwk);
  return { kid, algorithm, key, jwk: { ...jwk, kid, alg: algorithm, use: 'sig' } };
}

/** Over the members that every key of the kind has, in the order of their names. */
function thumbprint({ crv, e, kty, n, x }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x })).digest('base64url');
}
