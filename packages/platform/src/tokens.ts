import { createHash, randomBytes } from 'node:crypto';

/** An opaque token with 256 random bits, URL-safe. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** The stored form of a token. With that much randomness a plain hash cannot be guessed back. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();
