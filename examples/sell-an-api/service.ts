/**
 * A small API of your own. It knows nothing but the SDK: it counts words for customers with a key, takes a credit for
 * each call, and meters the words.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { RentApi, VerifiedKey } from '@rentapi/sdk';

const MAX_TEXT_LENGTH = 100_000;

/** What a caller of yours is answered for each code of a verification. */
const STATUSES: Record<string, number> = {
  NOT_FOUND: 401,
  DISABLED: 401,
  EXPIRED: 401,
  FORBIDDEN: 403,
  INSUFFICIENT_PERMISSIONS: 403,
  USAGE_EXCEEDED: 429,
  RATE_LIMITED: 429,
};

export function createService(rentapi: RentApi, meter: string): Server {
  return createServer((req, res) => {
    serve(req, res).catch(() => send(res, 500, { code: 'FAILED' }));
  });

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const key = req.headers['x-api-key'];
    if (typeof key !== 'string') return send(res, 401, { code: 'KEY_MISSING' });
    const text = await readText(req);
    if (text === null) return send(res, 413, { code: 'TEXT_TOO_LONG' });
    const ip = req.socket.remoteAddress;
    const verified = await rentapi.apiKeys.verify({ key, permissions: 'words.count', cost: 1, ...(ip && { ip }) });
    if (!verified.valid) return refuse(res, verified);
    const words = text.split(/\s+/).filter(Boolean).length;
    await meterWords(verified, words);
    send(res, 200, { words, creditsLeft: verified.remaining });
  }

  /** Answered when it is stored. The id makes a repeat of the SDK count once. */
  async function meterWords({ externalId, keyId }: VerifiedKey, words: number): Promise<void> {
    const event = { transactionId: randomUUID(), meter, value: words };
    const customer = { ...(externalId && { externalId }), ...(keyId && { keyId }) };
    await rentapi.usage.ingest({ events: [{ ...event, ...customer }] });
  }
}

function refuse(res: ServerResponse, { code, retryAfter }: VerifiedKey): void {
  if (retryAfter !== null) res.setHeader('Retry-After', retryAfter);
  send(res, STATUSES[code] ?? 403, { code }); // a later version may have other codes
}

async function readText(req: IncomingMessage): Promise<string | null> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_TEXT_LENGTH) return null;
  }
  return text;
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
