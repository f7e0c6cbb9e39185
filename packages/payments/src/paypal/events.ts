import { type KeyObject, verify } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { EventHeaders, ObjectKind, ObjectRef, ProviderEvent } from '../payment-provider.ts';
import { ForgedEventError, ProviderError } from '../provider-error.ts';
import { fetchProvider } from '../provider-fetch.ts';
import { trustedKey } from './certificates.ts';
import { readPayPal } from './client.ts';
import type { PayPalConfig, SendPayPal } from './transport.ts';

/** PayPal sends an event again for three days. */
const TOLERANCE_MS = 3 * 86_400_000 + 3_600_000;
const MAX_CERTIFICATES = 20;
/** A certificate is read again after a day, and one that could not be read after a minute. */
const KEPT_MS = 86_400_000;
const RETRY_MS = 60_000;

const ALGORITHM = 'SHA256withRSA';
const HOSTS = /^api(-m)?(\.sandbox)?\.paypal\.com$/;
const PATH = /^\/v1\/notifications\/certs\/[\w-]{1,128}$/;

const Id = z.string().regex(/^[\w-]{1,128}$/);
const Headers = z.object({
  'paypal-auth-algo': z.literal(ALGORITHM),
  'paypal-transmission-id': Id,
  'paypal-transmission-time': z.string().max(40),
  'paypal-transmission-sig': z.string().max(1024),
  'paypal-cert-url': z.string().max(512),
});
type Transmission = z.output<typeof Headers>;

interface Received {
  raw: Buffer;
  headers: EventHeaders;
  now: Date;
}

export interface PayPalEvents {
  verify(received: Received): ProviderEvent;
  confirm(received: Received): Promise<boolean>;
}

/**
 * PayPal signs a CRC-32 of the body, so another body can be put under headers that were seen once. What an event says
 * is therefore only a hint, even when it is verified.
 */
export function createPayPalEvents(config: PayPalConfig, send: SendPayPal): PayPalEvents {
  const certificates = new Map<string, { key: KeyObject | null; untilMs: number }>();
  const ownBase = new URL(config.apiBase).origin;
  let isLearning = false;

  function keyOf(url: string, now: Date): KeyObject | null | undefined {
    const known = certificates.get(url);
    return known && known.untilMs > now.getTime() ? known.key : undefined;
  }

  /** Null where there is none that we trust. */
  async function fetchKey(url: string, now: Date): Promise<KeyObject | null> {
    const known = keyOf(url, now);
    if (known !== undefined) return known;
    let bundle = '';
    try {
      const answer = await fetchProvider(url, {}, { timeoutMs: config.timeoutMs ?? 10_000, send: config.send });
      if (answer.ok) bundle = await answer.text();
    } catch {
      // the other way is left
    }
    const trusted = trustedKey(bundle, now, config.trustedRoots);
    // Addresses are an attacker's to choose, below a path of PayPal's.
    if (certificates.size >= MAX_CERTIFICATES) forgetOne();
    const untilMs = trusted
      ? Math.min(now.getTime() + KEPT_MS, trusted.validUntil.getTime())
      : now.getTime() + RETRY_MS;
    certificates.set(url, { key: trusted?.key ?? null, untilMs });
    return trusted?.key ?? null;
  }

  /** One that is not trusted, if there is one. */
  function forgetOne(): void {
    const urls = [...certificates.keys()];
    certificates.delete(urls.find((url) => certificates.get(url)?.key === null) ?? urls[0]!);
  }

  /** In the background, one at a time: the event that asks for it does not wait. */
  function learn(url: string, now: Date): void {
    if (isLearning) return;
    isLearning = true;
    void fetchKey(url, now).finally(() => {
      isLearning = false;
    });
  }

  function read({ headers, now }: Received): Transmission {
    const { success, data } = Headers.safeParse(headers);
    if (!success) throw new ForgedEventError('a `PayPal-…` header of the signature is missing, or is malformed');
    const sentAtMs = Date.parse(data['paypal-transmission-time']);
    if (!(Math.abs(now.getTime() - sentAtMs) <= TOLERANCE_MS)) {
      throw new ForgedEventError('the header `PayPal-Transmission-Time` is no time of the last three days');
    }
    if (!isCertificateUrl(data['paypal-cert-url'], ownBase)) {
      throw new ForgedEventError('the header `PayPal-Cert-Url` is no address of PayPal');
    }
    return data;
  }

  return {
    verify(received) {
      const transmission = read(received);
      const key = keyOf(transmission['paypal-cert-url'], received.now);
      if (key === undefined) learn(transmission['paypal-cert-url'], received.now);
      const verified = key ? isSigned(received.raw, transmission, config.webhookId, key) : false;
      if (key && !verified) throw new ForgedEventError('the signature is of another body, or another webhook');
      return { ...parsePayPalEvent(parsed(received.raw)), verified };
    },

    async confirm(received) {
      const transmission = read(received);
      const key = await fetchKey(transmission['paypal-cert-url'], received.now);
      if (key) return isSigned(received.raw, transmission, config.webhookId, key);
      return askPayPal(send, received.raw, transmission, config.webhookId);
    },
  };
}

function isCertificateUrl(text: string, ownBase: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.search || url.hash || url.username || url.password || !PATH.test(url.pathname)) return false;
  return url.origin === ownBase || (url.protocol === 'https:' && url.port === '' && HOSTS.test(url.hostname));
}

function isSigned(raw: Buffer, headers: Transmission, webhookId: string, key: KeyObject): boolean {
  const { 'paypal-transmission-id': id, 'paypal-transmission-time': time } = headers;
  const signed = Buffer.from(`${id}|${time}|${webhookId}|${crc32(raw)}`);
  return verify('RSA-SHA256', signed, key, Buffer.from(headers['paypal-transmission-sig'], 'base64'));
}

const Verification = z.object({ verification_status: z.string() });

/** The event goes back as the bytes that came: written again, `1.0` would be `1`, and the signature of another body. */
async function askPayPal(send: SendPayPal, raw: Buffer, headers: Transmission, webhookId: string): Promise<boolean> {
  const fields = {
    auth_algo: headers['paypal-auth-algo'],
    cert_url: headers['paypal-cert-url'],
    transmission_id: headers['paypal-transmission-id'],
    transmission_sig: headers['paypal-transmission-sig'],
    transmission_time: headers['paypal-transmission-time'],
    webhook_id: webhookId,
  };
  const head = Buffer.from(`${JSON.stringify(fields).slice(0, -1)},"webhook_event":`);
  const body = Buffer.concat([head, raw, Buffer.from('}')]);
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const request = { path: '/v1/notifications/verify-webhook-signature', schema: Verification, init };
  return readPayPal(send, request, (answer) => answer.verification_status === 'SUCCESS');
}

function parsed(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw new ForgedEventError('the body is not JSON');
  }
}

/** As much of an event as we read. */
const Event = z.object({
  id: Id,
  event_type: z.string().regex(/^[\w.-]{1,100}$/),
  create_time: z.iso.datetime({ offset: true }),
  resource_type: z.string().max(64).nullish(),
  resource: z.object({
    id: z.string().nullish(),
    dispute_id: z.string().nullish(),
    order_id: z.string().nullish(),
    supplementary_data: z.object({ related_ids: z.object({ order_id: z.string().nullish() }).nullish() }).nullish(),
  }),
});

export function parsePayPalEvent(value: unknown): ProviderEvent {
  const { success, data: event } = Event.safeParse(value);
  if (!success) throw new ForgedEventError('this is not an event with a resource');
  const { resource } = event;
  const ids = {
    id: resource.dispute_id ?? resource.id,
    order: resource.order_id ?? resource.supplementary_data?.related_ids?.order_id,
  };
  const subject = Object.fromEntries(Object.entries(ids).filter((entry): entry is [string, string] => !!entry[1]));
  return {
    id: event.id,
    type: event.event_type,
    createdAt: new Date(event.create_time),
    isLive: true, // the event does not say; its webhook is of one environment only
    verified: false,
    subject,
  };
}

/** By the beginning of the type. A capture is read through its order, which has everything. */
const KINDS: readonly (readonly [start: string, kind: ObjectKind, id: 'id' | 'order'])[] = [
  ['CHECKOUT.PAYMENT-APPROVAL.', 'charge', 'order'],
  ['CHECKOUT.ORDER.', 'charge', 'id'],
  ['PAYMENT.CAPTURE.REFUNDED', 'refund', 'id'],
  ['PAYMENT.CAPTURE.', 'charge', 'order'],
  ['PAYMENT.REFUND.', 'refund', 'id'],
  ['VAULT.PAYMENT-TOKEN.', 'method', 'id'],
  ['CUSTOMER.DISPUTE.', 'dispute', 'id'],
];

export function payPalObjectOf({ type, subject }: ProviderEvent): ObjectRef | null {
  const [, kind, field] = KINDS.find(([start]) => type.startsWith(start)) ?? [];
  const id = field && subject[field];
  return kind && Id.safeParse(id).success ? { kind, id: id! } : null;
}

/** An id of PayPal's; without one the library asks for something else. */
export function assertPayPalId(id: string): void {
  if (!Id.safeParse(id).success) throw new ProviderError('paypal', 'refused', 'id_not_valid');
}
