import { createHash } from 'node:crypto';
import { sameBytes } from '@rentapi/platform/secrets';

export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** Whether a request has this token of the operator's as its bearer. */
export function bringsToken(authorization: string | undefined, token: string): boolean {
  const given = bearerOf(authorization);
  // Digests have one length, so that the comparison does not reveal the token's.
  return given !== undefined && sameBytes(digest(given), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
