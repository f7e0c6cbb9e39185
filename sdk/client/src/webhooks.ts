import type { EventMap, UnstoredEvent } from './generated/resources.gen.ts';

/** What arrives at a webhook, by its `type`. A newer server may send types that are not listed: ignore those. */
export type WebhookEvent = {
  [Name in Exclude<keyof EventMap, UnstoredEvent>]: {
    type: Name;
    /** When it happened, ISO 8601. */
    timestamp: string;
    data: EventMap[Name];
  };
}[Exclude<keyof EventMap, UnstoredEvent>];

/** As `fetch`, Node and Express have them. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface UnwrapOptions {
  /** How far the clocks may differ, and how old a delivery may be. Default 300 seconds. */
  toleranceS?: number | undefined;
  /** Instead of the time of the machine. */
  now?: Date | undefined;
}

/** The request is not a delivery of the server that has the secret, or it was changed or recorded on the way. */
export class WebhookVerificationError extends Error {
  override name = 'WebhookVerificationError';
}

const TOLERANCE_S = 300;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** One for each secret while a rotated one overlaps; more cost time and prove nothing. */
const MAX_SIGNATURES = 10;

/**
 * The event in a delivery, if its signature (Standard Webhooks) is right for one of the secrets. `body` is what
 * arrived, before it was parsed.
 *
 * @throws {WebhookVerificationError} where it is not: answer 400
 * @throws {TypeError} for a secret that is none, or a body that was parsed
 */
export async function unwrapWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceS = TOLERANCE_S, now = new Date() }: UnwrapOptions = {},
): Promise<WebhookEvent> {
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new TypeError('`body` must be the text or the bytes that arrived: read it before a middleware parses it.');
  const keys = (typeof secret === 'string' ? [secret] : secret).map(keyOf);
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now.getTime() / 1000 - Number(timestamp)) > toleranceS)
    throw new WebhookVerificationError('The timestamp is too old, or ahead of the clock of this machine.');
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  for (const key of keys)
    for (const signature of signatures.split(' ', MAX_SIGNATURES))
      if (await isRight(key, signature, signed)) return eventOf(text);
  throw new WebhookVerificationError('No signature is right for the secret.');
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const [, base64] = SECRET.exec(secret) ?? [];
  if (!base64)
    throw new TypeError('The secret of a webhook begins with `whsec_`: it was answered when it was created.');
  return bytesOf(base64);
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, unknown>)[name];
  if (typeof value !== 'string' || value === '') throw new WebhookVerificationError(`The header ${name} is missing.`);
  return value;
}

/** WebCrypto compares in constant time. */
async function isRight(
  key: Uint8Array<ArrayBuffer>,
  signature: string,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const [version, base64] = signature.split(',');
  if (version !== 'v1' || !base64 || !/^[A-Za-z0-9+/]{43}=$/.test(base64)) return false;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, hmac, false, ['verify']);
  return crypto.subtle.verify('HMAC', imported, bytesOf(base64), signed);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function eventOf(text: string): WebhookEvent {
  const event: unknown = JSON.parse(text);
  if (isEvent(event)) return event;
  throw new WebhookVerificationError('The body is no event.');
}

/** The guarantee for the rest: the signature is the server's. */
function isEvent(event: unknown): event is WebhookEvent {
  if (typeof event !== 'object' || event === null) return false;
  const { type, timestamp, data } = event as Record<string, unknown>;
  return typeof type === 'string' && typeof timestamp === 'string' && typeof data === 'object';
}
