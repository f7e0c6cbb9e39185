import { createHash, type KeyObject, type webcrypto } from 'node:crypto';
import { OldestFirst } from '@rentapi/platform/oldest-first';
import type { Keyring } from '@rentapi/platform/secrets';
import { errors, jwtVerify, SignJWT } from 'jose';
import { ApiError } from '../../contract/errors.ts';

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

type Verified = AccessClaims & { expiresAt: Date };

const AUDIENCE = 'rentapi';
/** Some 500 bytes each. */
const MAX_REMEMBERED = 20_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function createAccessTokens(options: { keyring: Keyring; issuer: string; ttlS: number }): AccessTokens {
  const { keyring, issuer, ttlS } = options;
  const keys = new Map(keyring.keys('rentapi/jwt').map((key) => [nameOf(key), importKey(key)]));
  const [[kid, signingKey]] = [...keys] as [[string, webcrypto.CryptoKey]]; // the current secret comes first

  /**
   * A valid token stays valid until it expires, so the check is cached: a caller brings the same token for 15 minutes.
   */
  const remembered = new OldestFirst<Verified>(MAX_REMEMBERED);

  return {
    ttlS,
    sign: ({ sub, sid }, now) =>
      new SignJWT({ sid })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(sub)
        .setIssuedAt(now)
        .setExpirationTime(Math.floor(now.getTime() / 1000) + ttlS)
        .sign(signingKey),
    verify(token, now) {
      const known = remembered.get(token);
      if (!known) return verify(token, now);
      if (known.expiresAt > now) return known;
      remembered.delete(token);
      throw new ApiError('access_token_expired');
    },
  };

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
      const { sub, sid, exp } = payload;
      if (typeof sub !== 'string' || typeof sid !== 'string' || !UUID.test(sid) || exp === undefined)
        throw new ApiError('invalid_access_token');
      const verified = { sub, sid, expiresAt: new Date(exp * 1000) };
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

const nameOf = (key: KeyObject): string => createHash('sha256').update(key.export()).digest('base64url').slice(0, 8);

/** jose accepts a KeyObject, too, but would convert it for every token, at half the cost of the whole check. */
function importKey(key: KeyObject): webcrypto.CryptoKey {
  return key.toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}
