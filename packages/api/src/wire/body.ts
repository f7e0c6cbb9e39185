import type { IncomingMessage } from 'node:http';
import { ApiError } from '../contract/errors.ts';
import { parseJson } from './json.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON body of a request; undefined where there is none. Never holds more than `limitBytes`: a larger body is refused
 * at its Content-Length, or at the first byte too many, and the connection is closed behind the answer.
 */
export async function readJsonBody(req: IncomingMessage, limitBytes: number): Promise<unknown> {
  const bytes = await readBody(req, limitBytes);
  if (bytes.length === 0) return undefined;
  const type = req.headers['content-type'];
  if (!type || !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) throw new ApiError('unsupported_media_type');
  const encoding = req.headers['content-encoding'];
  if (encoding && encoding !== 'identity') {
    throw new ApiError('unsupported_media_type', { detail: 'Send the body without `Content-Encoding`.' });
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new ApiError('malformed_json', { detail: 'Send the body in UTF-8.' });
  }
  return parseJson(text);
}

function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const tooLarge = new ApiError('body_too_large', { detail: `Send a body of at most ${limitBytes} bytes.` });
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) {
    req.resume();
    throw tooLarge;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  req.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > limitBytes) {
      req.removeAllListeners('data').resume();
      reject(tooLarge);
    } else chunks.push(chunk);
  });
  req.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
  // Whoever hangs up in the middle, or is cut off, is no failure of ours.
  const ended = () => reject(new ApiError('malformed_json', { detail: 'The body ended early.' }));
  req.once('error', ended).once('close', ended);
  return promise;
}
