import { createHash, type KeyObject, type webcrypto } from 'node:crypto';
import { OldestFirst } from '@rentapi/platform/oldest-first';
import type { Keyring } from '@rentapi/platform/secrets';
import { errors, jwtVerify, SignJWT } from 'jose';
import { ApiError } from '../../contract/errors.ts';
import { createOwnVerifier, encodeHeader, readClaims, type Verified } from './own-tokens.ts';

/**
 * The subject of an access token: the user's public id and the session's UUID. The session's row decides whether it
 * lives.
 */
export interface AccessClaims {
  sub: string;
  sid: string;
}

/**
 * Access tokens: JWTs (RFC 9068, `typ: at+jwt`), HS256, signed under a key derived from SECRET_KEY and named by
 * `kid`.
 */
export interface AccessTokens {
  ttlS: number;
  sign(claims: AccessClaims, now: Date): Promise<string>;
  /** Throws `access_token_expired` or `invalid_access_token`. */
  verify(token: string, now: Date): Verified | Promise<Verified>;
}

const AUDIENCE = 'rentapi';
/** Some 500 bytes each. */
const MAX_REMEMBERED = 20_000;

export function createAccessTokens(options: { keyring: Keyring; issuer: string; ttlS: number }): AccessTokens {
  const { keyring, issuer, ttlS } = options;
  const secrets = keyring.keys('rentapi/jwt').map((secret) => ({ kid: nameOf(secret), secret }));
  const keys = new Map(secrets.map(({ kid, secret }) => [kid, importKey(secret)]));
  const [[kid, signingKey]] = [...keys] as [[string, webcrypto.CryptoKey]]; // the current secret comes first
  const verifyOwn = createOwnVerifier({
    keys: new Map(secrets.map(({ kid, secret }) => [encodeHeader(headerOf(kid)), secret])),
    issuer,
    audience: AUDIENCE,
  });

  /**
   * A valid token stays valid until it expires, so the check is cached: a caller brings the same token for 15 minutes.
   */
  const remembered = new OldestFirst<Verified>(MAX_REMEMBERED);

  return {
    ttlS,
    sign: ({ sub, sid }, now) =>
      new SignJWT({ sid })
        .setProtectedHeader(headerOf(kid))
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(sub)
        .setIssuedAt(now)
        .setExpirationTime(Math.floor(now.getTime() / 1000) + ttlS)
        .sign(signingKey),
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
      const { payload } = await jwtVerify(token, (header) => keyNamed(header.kid), {
        algorithms: ['HS256'],
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

  function keyNamed(name: string | undefined): webcrypto.CryptoKey {
    const key = name === undefined ? undefined : keys.get(name);
    if (!key) throw new ApiError('invalid_access_token');
    return key;
  }
}

const headerOf = (kid: string) => ({ alg: 'HS256', typ: 'at+jwt', kid });

const nameOf = (key: KeyObject): string => createHash('sha256').update(key.export()).digest('base64url').slice(0, 8);

/** jose accepts a KeyObject, too, but would convert it for every token, at half the cost of the whole check. */
function importKey(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}
