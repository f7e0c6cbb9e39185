import { createHash, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto';
import { S3Fifo } from '@rentapi/platform/s3-fifo';
import type { Keyring } from '@rentapi/platform/secrets';
import type { KeyAlgorithm, PublicSigningKey, SigningKey } from '@rentapi/platform/signing-keys';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { ApiError } from '../../contract/errors.ts';
import {
  createOwnVerifier,
  encodePart,
  hmacCheck,
  publicKeyCheck,
  readClaims,
  type SignatureCheck,
  signWithSecret,
  type Verified,
} from './own-tokens.ts';

/**
 * The subject of an access token: the user's public id and the session's UUID. The session's row decides whether it
 * lives.
 */
export interface AccessClaims {
  sub: string;
  sid: string;
}

/**
 * Access tokens: JWTs (RFC 9068, `typ: at+jwt`). HS256 under a key derived from SECRET_KEY, or RS256 or EdDSA under
 * JWT_PRIVATE_KEY. `kid` names the key, and the key decides the algorithm.
 */
export interface AccessTokens {
  ttlS: number;
  /** The public keys that others can verify tokens with; none with HS256. */
  jwks: readonly JsonWebKey[];
  sign(claims: AccessClaims, now: Date): string | Promise<string>;
  /** Throws `access_token_expired` or `invalid_access_token`. */
  verify(token: string, now: Date): Verified | Promise<Verified>;
}

interface Options {
  keyring: Keyring;
  issuer: string;
  ttlS: number;
  /** Signs instead of the secret. */
  signingKey?: SigningKey | null;
  /** Keys whose tokens are accepted, too. */
  oldKeys?: readonly PublicSigningKey[];
  /** Where a signing key has replaced the secret, tokens of the secret are accepted for a while after the start. */
  startedAt?: Date;
}

interface Key {
  kid: string;
  alg: 'HS256' | KeyAlgorithm;
  key: webcrypto.CryptoKey;
  check: SignatureCheck;
  until: number;
}

const AUDIENCE = 'rentapi';
/** Some 500 bytes each. */
const MAX_REMEMBERED = 20_000;

/** In lifetimes of a token: processes that still sign with the secret stop within one, their tokens within another. */
const SECRET_ACCEPTED = 2;

export function createAccessTokens(options: Options): AccessTokens {
  const { keyring, issuer, ttlS, signingKey = null, oldKeys = [], startedAt = new Date() } = options;
  const published = signingKey ? [signingKey, ...oldKeys] : oldKeys;
  const secretsEnd = signingKey ? startedAt.getTime() + SECRET_ACCEPTED * ttlS * 1000 : Number.POSITIVE_INFINITY;
  const secrets = keyring.keys('rentapi/jwt').map((secret) => keyOfSecret(secret, secretsEnd));
  const keys = new Map([...published.map(keyOfPublic), ...secrets].map((key) => [key.kid, key]));
  const sign = signingKey ? signerOf(signingKey) : signerOfSecret(keyring.key('rentapi/jwt'));
  const verifyOwn = createOwnVerifier({
    checks: new Map([...keys.values()].map((key) => [encodePart(headerOf(key)), whileAccepted(key)])),
    issuer,
    audience: AUDIENCE,
  });

  /**
   * A valid token stays valid until it expires, so the check is cached: a caller brings the same token for 15 minutes.
   */
  const remembered = new S3Fifo<Verified>(MAX_REMEMBERED);

  return {
    ttlS,
    jwks: published.map(({ jwk }) => jwk),
    sign({ sub, sid }, now) {
      const issuedAt = Math.floor(now.getTime() / 1000);
      return sign({ sid, iss: issuer, aud: AUDIENCE, sub, iat: issuedAt, exp: issuedAt + ttlS });
    },
    verify(token, now) {
      const known = remembered.get(token);
      if (!known) return verifyAtOnce(token, now) ?? verify(token, now);
      if (known.expiresAt > now) return known;
      remembered.delete(token);
      throw new ApiError('access_token_expired');
    },
  };

  function verifyAtOnce(token: string, now: Date): Verified | undefined {
    const verified = verifyOwn(token, now);
    if (verified) remembered.set(token, verified);
    return verified;
  }

  async function verify(token: string, now: Date): Promise<Verified> {
    try {
      const { payload } = await jwtVerify(token, (header) => keyFor(header, now), {
        algorithms: [...new Set([...keys.values()].map((key) => key.alg))],
        typ: 'at+jwt',
        issuer,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'sid', 'exp'],
        currentDate: now,
      });
      const verified = readClaims(payload);
      if (!verified) throw new ApiError('invalid_access_token');
      remembered.set(token, verified);
      return verified;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new ApiError('access_token_expired');
      throw new ApiError('invalid_access_token', { cause: error });
    }
  }

  /** The algorithm belongs to the key: a token that names another is refused. */
  function keyFor({ kid, alg }: { kid?: string; alg?: string }, now: Date): webcrypto.CryptoKey {
    const key = kid === undefined ? undefined : keys.get(kid);
    if (!key || key.alg !== alg || now.getTime() >= key.until) throw new ApiError('invalid_access_token');
    return key.key;
  }
}

const headerOf = ({ kid, alg }: Pick<Key, 'kid' | 'alg'>) => ({ alg, typ: 'at+jwt', kid });

type Signer = (payload: JWTPayload) => string | Promise<string>;

/** A private key signs on another thread: RSA takes milliseconds. */
function signerOf({ kid, algorithm, privateKey }: SigningKey): Signer {
  const key = importKey(privateKey, algorithm, 'sign');
  const header = headerOf({ kid, alg: algorithm });
  return (payload) => new SignJWT(payload).setProtectedHeader(header).sign(key);
}

function signerOfSecret(secret: KeyObject): Signer {
  const header = encodePart(headerOf({ kid: kidOf(secret), alg: 'HS256' }));
  return (payload) => signWithSecret(secret, header, payload);
}

const kidOf = (secret: KeyObject): string =>
  createHash('sha256').update(secret.export()).digest('base64url').slice(0, 8);

function keyOfSecret(secret: KeyObject, until: number): Key {
  return { kid: kidOf(secret), alg: 'HS256', key: importSecret(secret), check: hmacCheck(secret), until };
}

function keyOfPublic(publicKey: PublicSigningKey): Key {
  const { kid, algorithm } = publicKey;
  const key = importKey(publicKey.key, algorithm, 'verify');
  return { kid, alg: algorithm, key, check: publicKeyCheck(publicKey), until: Number.POSITIVE_INFINITY };
}

const whileAccepted =
  ({ check, until }: Key): SignatureCheck =>
  (signed, signature, now) =>
    now.getTime() < until && check(signed, signature, now);

/** jose accepts a KeyObject, too, but would convert it for every token, at half the cost of the whole check. */
function importSecret(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

function importKey(key: KeyObject, algorithm: KeyAlgorithm, use: 'sign' | 'verify'): webcrypto.CryptoKey {
  const params = algorithm === 'RS256' ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } : { name: 'Ed25519' };
  return key.toCryptoKey(params, false, [use]);
}
