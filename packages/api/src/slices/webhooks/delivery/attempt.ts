import type { KeyObject } from 'node:crypto';
import { OldestFirst } from '@rentapi/platform/oldest-first';
import { OutboundError, type OutboundResponse } from '@rentapi/platform/outbound';
import type { Ports } from '../../../context.ts';
import { MAX_HEADER_VALUE } from '../headers.ts';
import { signature, signingKey } from '../signature.ts';
import { dataInVersion } from '../versions.ts';

/** What the body of a delivery is made from. */
interface ShownDelivery {
  eventType: string;
  createdAt: Date;
  /** Of a test; null otherwise. */
  payload: unknown;
  /** Of the event; null for a test. */
  data: unknown;
  eventVersion: number;
}

/** A delivery as it was claimed, with what is needed to send it. */
export interface ClaimedDelivery extends ShownDelivery {
  organizationId: number;
  id: number;
  webhookId: number;
  eventId: number;
  attempts: number;
  step: number;
  url: string;
  headersSealed: Buffer;
  secretSealed: Buffer;
  overlapEndsAt: Date | null;
}

/** How an attempt went, as it is stored. */
export interface Outcome {
  startedAt: Date;
  durationMs: number;
  succeeded: boolean;
  /** The receiver wants nothing more: 410. */
  gone: boolean;
  statusCode: number | null;
  error: string | null;
  requestHeaders: Record<string, string>;
  responseHeaders: Record<string, string> | null;
  responseBody: string | null;
  /** How long the receiver asks to wait. */
  retryAfterMs: number | null;
}

const MAX_BODY_CHARACTERS = 4096;
const MAX_HEADERS = 50;
const MAX_HEADER_CHARACTERS = 500;
const HIDDEN = '[hidden]';
/** Shorter ones are words such as `Bearer` and `true`. */
const MIN_SECRET_CHARACTERS = 8;
const MAX_RETRY_AFTER_MS = 86_400_000;

/** The body, which is the same for every attempt. */
export function bodyOf(
  { eventTypes }: Pick<Ports, 'eventTypes'>,
  { eventType, createdAt, payload, data, eventVersion }: ShownDelivery,
): { type: string; timestamp: string; data: unknown } {
  const shown = dataInVersion(eventTypes.get(eventType), payload ?? data, eventVersion);
  return { type: eventType, timestamp: createdAt.toISOString(), data: shown };
}

/** Sends a delivery once. Never throws: an answer that is not 2xx, or none, is an outcome. */
export async function attempt(ports: Ports, requests: Requests, delivery: ClaimedDelivery): Promise<Outcome> {
  const startedAt = ports.clock.now();
  const began = performance.now();
  const elapsed = () => Math.round(performance.now() - began);
  let requestHeaders: Record<string, string> = {};
  try {
    const { hidden, headers, body, ownHeaders, secrets } = requests.of(delivery, startedAt);
    requestHeaders = { ...headers, ...hidden };
    const sent = { ...ownHeaders, ...headers };
    const answer = await ports.outbound.send({ url: delivery.url, method: 'POST', headers: sent, body });
    return { startedAt, requestHeaders, durationMs: elapsed(), ...outcomeOf(answer, secrets, ports.clock.now()) };
  } catch (error) {
    if (!(error instanceof OutboundError)) ports.log.error({ err: error }, 'webhook not sent');
    return {
      startedAt,
      requestHeaders,
      durationMs: elapsed(),
      succeeded: false,
      gone: false,
      statusCode: null,
      error: error instanceof OutboundError ? storable(error.message) : 'The delivery could not be sent.',
      responseHeaders: null,
      responseBody: null,
      retryAfterMs: null,
    };
  }
}

/** What of a webhook is sealed, opened. */
interface Opened {
  headersSealed: Buffer;
  secretSealed: Buffer;
  ownHeaders: Record<string, string>;
  /** What of them is stored with an attempt. */
  hidden: Record<string, string>;
  /** The parts of their values that a receiver may repeat. */
  secrets: string[];
  /** Of the newest secret first. */
  keys: KeyObject[];
}

const MAX_OPENED = 1000;

export interface Requests {
  of(
    delivery: ClaimedDelivery,
    now: Date,
  ): Pick<Opened, 'ownHeaders' | 'hidden' | 'secrets'> & { headers: Record<string, string>; body: string };
}

/** Makes the requests of deliveries. What a webhook has sealed is opened once, and again when it has changed. */
export function createRequests(ports: Ports): Requests {
  const webhooks = new OldestFirst<Opened>(MAX_OPENED);

  function open({ webhookId, organizationId, headersSealed, secretSealed }: ClaimedDelivery): Opened {
    const known = webhooks.get(String(webhookId));
    if (known?.headersSealed.equals(headersSealed) && known.secretSealed.equals(secretSealed)) return known;
    const ownHeaders: Record<string, string> = JSON.parse(ports.webhooks.open(headersSealed, organizationId));
    const hidden = Object.fromEntries(Object.keys(ownHeaders).map((name) => [name, HIDDEN]));
    const keys = ports.webhooks.open(secretSealed, organizationId).split(' ').map(signingKey);
    const opened = { headersSealed, secretSealed, ownHeaders, hidden, secrets: secretsOf(ownHeaders), keys };
    webhooks.set(String(webhookId), opened);
    return opened;
  }

  return {
    of(delivery, now) {
      const { ownHeaders, hidden, secrets, keys } = open(delivery);
      const { overlapEndsAt } = delivery;
      const body = JSON.stringify(bodyOf(ports, delivery));
      const id = ports.ids.encode('evt', delivery.eventId);
      const timestampS = Math.floor(now.getTime() / 1000);
      const signing = keys.slice(0, overlapEndsAt && overlapEndsAt > now ? 2 : 1);
      const headers = {
        'content-type': 'application/json',
        'user-agent': `RentAPI/${ports.process.version}`,
        'webhook-id': id,
        'webhook-timestamp': String(timestampS),
        'webhook-signature': signature(signing, id, timestampS, body),
      };
      return { ownHeaders, hidden, secrets, headers, body };
    },
  };
}

/** Without quotes and spaces, so that they are found in JSON too. */
function secretsOf(headers: Record<string, string>): string[] {
  const parts = new Set(Object.values(headers).flatMap((value) => value.split(/[\s"\\]+/)));
  return [...parts]
    .filter(({ length }) => length >= MIN_SECRET_CHARACTERS)
    .toSorted((one, other) => other.length - one.length);
}

/** The beginning of what a receiver answers, at most so many characters of it. */
function shown(text: string, secrets: readonly string[], max: number): string {
  const read = text.slice(0, max + MAX_HEADER_VALUE); // a secret that begins within `max` is whole there
  const hidden = secrets.reduce((left, secret) => left.replaceAll(secret, HIDDEN), read);
  // The end may be a part of one, which is not found.
  return storable(read === text ? hidden : hidden.slice(0, -MAX_HEADER_VALUE), max);
}

function outcomeOf(
  { status, headers, body }: OutboundResponse,
  secrets: readonly string[],
  now: Date,
): Omit<Outcome, 'startedAt' | 'durationMs' | 'requestHeaders'> {
  const succeeded = status >= 200 && status < 300;
  return {
    succeeded,
    gone: status === 410,
    statusCode: status,
    error: succeeded ? null : errorOf(status),
    responseHeaders: Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => name !== 'set-cookie')
        .slice(0, MAX_HEADERS)
        .map(([name, value]) => [name, shown(String(value), secrets, MAX_HEADER_CHARACTERS)]),
    ),
    responseBody: shown(body, secrets, MAX_BODY_CHARACTERS),
    retryAfterMs: status === 429 || status === 503 ? retryAfterMs(headers['retry-after'], now) : null,
  };
}

function errorOf(status: number): string {
  if (status >= 300 && status < 400) return `The receiver answered ${status}: redirects are not followed.`;
  return `The receiver answered ${status}.`;
}

/** Seconds or a date (RFC 9110, section 10.2.3); null where it is neither. */
function retryAfterMs(text: string | undefined, now: Date): number | null {
  if (text === undefined) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}

/** Postgres stores no NUL, and JSON no half of a pair of surrogates. */
function storable(text: string, maxCharacters = 1000): string {
  return text.slice(0, maxCharacters).replaceAll('\0', '').toWellFormed();
}
