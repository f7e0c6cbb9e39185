import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

/** Secrets and signatures of Standard Webhooks (standardwebhooks.com), which libraries of every language verify. */

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

export const newSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64');

/** Made once and kept: from bytes, Node would make it again for each signature, which takes longer than to sign. */
export const signingKey = (secret: string): KeyObject =>
  createSecretKey(Buffer.from(secret.slice(PREFIX.length), 'base64'));

/** The `webhook-signature` header: one signature for each key. */
export function signature(keys: readonly KeyObject[], id: string, timestampS: number, body: string): string {
  const signed = `${id}.${timestampS}.${body}`;
  return keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`).join(' ');
}
