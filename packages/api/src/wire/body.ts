import type { IncomingMessage } from 'node:http';
import { ApiError } from '../contract/errors.ts';
import { assertText, parseJson } from './json.ts';
import { observed } from './observed.ts';
import { assertQueryEncoded } from './request-target.ts';
import type { UnfinishedBodies } from './unfinished-bodies.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const NOTHING = Buffer.alloc(0);
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

interface BodyLimits {
  limitBytes: number;
  unfinished: UnfinishedBodies;
}

/**
 * The JSON body of a request; undefined where there is none. It never holds more than `limitBytes`: a larger body is
 * refused at its Content-Length, or at the first byte too many.
 */
export async function readJsonBody(req: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const bytes = await readBody(req, limits);
  if (bytes.length === 0) return undefined;
  assertType(req, JSON_TYPE);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new ApiError('malformed_json', { detail: 'Send the body in UTF-8.' });
  }
  return parseJson(text);
}

/** The fields of a form, as browsers send it without scripts. */
export async function readForm(req: IncomingMessage, limits: BodyLimits): Promise<URLSearchParams> {
  const bytes = await readBody(req, limits);
  if (bytes.length > 0) assertType(req, FORM_TYPE, 'Send the form as `application/x-www-form-urlencoded`.');
  const text = bytes.toString();
  assertQueryEncoded(text);
  const fields = new URLSearchParams(text);
  for (const [name, value] of fields) assertText(value, name);
  return fields;
}

function assertType({ headers }: IncomingMessage, expected: RegExp, detail?: string): void {
  if (!expected.test(headers['content-type'] ?? ''))
    throw new ApiError('unsupported_media_type', { ...(detail !== undefined && { detail }) });
  const encoding = headers['content-encoding'];
  if (!encoding || encoding === 'identity') return;
  throw new ApiError('unsupported_media_type', { detail: 'Send the body without `Content-Encoding`.' });
}

/** The bytes of a request as they were sent, under the limits of `readJsonBody`. */
export function readBody(req: IncomingMessage, { limitBytes, unfinished }: BodyLimits): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const held = unfinished.enter(stop);
  let bytes: Buffer = NOTHING;
  let length = 0;

  req.on('data', add);
  req.once('end', complete).once('error', endedEarly).once('close', endedEarly);
  return promise;

  function add(chunk: Buffer): void {
    const needed = length + chunk.length;
    if (needed > limitBytes) return void stop(tooLarge(limitBytes));
    if (length === 0) bytes = chunk;
    else {
      // One buffer that grows: a list of one-byte chunks would take a hundred times the memory of the body.
      if (needed > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(limitBytes, Math.max(needed, 2 * bytes.length)));
        bytes.copy(larger, 0, 0, length);
        bytes = larger;
      }
      chunk.copy(bytes, length);
    }
    length = needed;
    held.grow(bytes.length);
  }

  function complete(): void {
    held.leave();
    if (req.headers['content-length'] === undefined) observed(req).bodyBytes = length;
    resolve(bytes.subarray(0, length));
  }

  /** A client that disconnects in the middle is no server failure. */
  function endedEarly(): void {
    if (!req.readableEnded) stop(new ApiError('malformed_json', { detail: 'The body ended early.' }));
  }

  function stop(error: ApiError): void {
    req.off('data', add);
    held.leave();
    bytes = NOTHING;
    length = 0;
    reject(error);
  }
}

/** Made when it is thrown: the stack of an error costs more than reading a small body. */
function tooLarge(limitBytes: number): ApiError {
  return new ApiError('body_too_large', { detail: `Send a body of at most ${limitBytes} bytes.` });
}
