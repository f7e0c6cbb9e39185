import { createHmac, type KeyObject, verify } from 'node:crypto';
import { sameBytes } from '@rentapi/platform/secrets';
import type { PublicSigningKey } from '@rentapi/platform/signing-keys';

export interface Verified {
  sub: string;
  sid: string;
  expiresAt: Date;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The subject and session of a verified payload; undefined where it is not one of an access token. */
export function readClaims({ sub, sid, exp }: Record<string, unknown>): Verified | undefined {
  if (typeof sub !== 'string' || typeof sid !== 'string' || !UUID.test(sid) || typeof exp !== 'number')
    return undefined;
  return { sub, sid, expiresAt: new Date(exp * 1000) };
}

/** A header or a payload as it is written into a token. */
export const encodePart = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Whether a signature, in its one spelling, is right and of a key that is accepted now. */
export type SignatureCheck = (signed: string, signature: string, now: Date) => boolean;

const hmacOf = (key: KeyObject, signed: string): string => createHmac('sha256', key).update(signed).digest('base64url');

/** Compared as text, so that a signature has one spelling only. */
export function hmacCheck(key: KeyObject): SignatureCheck {
  return (signed, signature) => sameBytes(Buffer.from(signature), Buffer.from(hmacOf(key, signed)));
}

/** Signs a payload under a secret, without leaving the thread. */
export function signWithSecret(key: KeyObject, header: string, payload: object): string {
  const signed = `${header}.${encodePart(payload)}`;
  return `${signed}.${hmacOf(key, signed)}`;
}

export function publicKeyCheck({ algorithm, key }: PublicSigningKey): SignatureCheck {
  const digest = algorithm === 'RS256' ? 'sha256' : null;
  return (signed, signature) => {
    const bytes = Buffer.from(signature, 'base64url');
    return bytes.toString('base64url') === signature && verify(digest, Buffer.from(signed), key, bytes);
  };
}

/**
 * Verifies tokens whose header is, byte for byte, one that we write, without leaving the thread: jose uses WebCrypto,
 * and waking its thread takes ten times as long as the HMAC. No algorithm is read from the token, so none can be
 * confused. Undefined means that jose must judge: it names what is wrong.
 */
export function createOwnVerifier(options: {
  /** The check of each header that we write, in its encoded form. */
  checks: ReadonlyMap<string, SignatureCheck>;
  issuer: string;
  audience: string;
}): (token: string, now: Date) => Verified | undefined {
  const { checks, issuer, audience } = options;

  return (token, now) => {
    const header = token.indexOf('.');
    const payload = token.lastIndexOf('.');
    const isSigned = checks.get(token.slice(0, header));
    if (!isSigned || payload === header) return undefined;
    if (!isSigned(token.slice(0, payload), token.slice(payload + 1), now)) return undefined;
    const claims = parseObject(token.slice(header + 1, payload));
    if (!claims || claims['iss'] !== issuer || claims['aud'] !== audience) return undefined;
    if (claims['nbf'] !== undefined || typeof claims['iat'] !== 'number') return undefined;
    const verified = readClaims(claims);
    return verified && verified.expiresAt > now ? verified : undefined;
  };
}

function parseObject(encoded: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
