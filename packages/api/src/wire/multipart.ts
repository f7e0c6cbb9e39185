import type { IncomingMessage } from 'node:http';
import busboy from 'busboy';
import { ApiError } from '../contract/errors.ts';
import type { UnfinishedBodies } from './unfinished-bodies.ts';

/** Of the names, types and boundaries around the file. */
const MAX_ENVELOPE_BYTES = 16 * 1024;

interface FileLimits {
  /** The form's only field. */
  field: string;
  maxBytes: number;
  unfinished: UnfinishedBodies;
}

/**
 * The file of a `multipart/form-data` body with one field. It never holds more than `maxBytes`: a larger body is
 * refused at its Content-Length, or at the first byte too many.
 */
export async function readUploadedFile(req: IncomingMessage, limits: FileLimits): Promise<Buffer> {
  const { field, maxBytes, unfinished } = limits;
  const tooLarge = new ApiError('body_too_large', { detail: `Send a file of at most ${maxBytes} bytes.` });
  if (Number(req.headers['content-length'] ?? 0) > maxBytes + MAX_ENVELOPE_BYTES) throw tooLarge;
  if (!/^multipart\/form-data\s*;/i.test(req.headers['content-type'] ?? ''))
    throw new ApiError('unsupported_media_type', {
      detail: `Send \`multipart/form-data\` with the file in the field \`${field}\`.`,
    });
  const parser = open(req, maxBytes);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const held = unfinished.enter(stop);
  let chunks: Buffer[] = [];
  let fileBytes = 0;
  let received = 0;
  let found = false;

  req.on('data', count);
  req.once('error', endedEarly).once('close', endedEarly);
  parser.on('file', (name, file) => {
    // An error without a listener would end the process, and destroying the parser is one.
    file.on('error', () => stop(malformed()));
    if (name !== field) return stop(unexpected(name));
    found = true;
    file.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      fileBytes += chunk.length;
    });
    file.once('limit', () => stop(tooLarge));
  });
  parser.on('field', (name) => stop(unexpected(name)));
  for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
    parser.once(limit, () => stop(wrong(field, 'must be the only file, given once')));
  parser.once('error', () => stop(malformed()));
  parser.once('close', () => {
    if (!found) return stop(wrong(field, 'is required'));
    release();
    resolve(Buffer.concat(chunks, fileBytes));
  });
  req.pipe(parser);
  return promise;

  function count(chunk: Buffer): void {
    received += chunk.length;
    held.grow(received);
    if (received > maxBytes + MAX_ENVELOPE_BYTES) stop(tooLarge);
  }

  function endedEarly(): void {
    if (!req.complete) stop(malformed());
  }

  function release(): void {
    req.off('data', count).off('error', endedEarly).off('close', endedEarly);
    held.leave();
  }

  function stop(error: ApiError): void {
    release();
    req.unpipe(parser);
    parser
      .removeAllListeners()
      .on('error', () => {})
      .destroy();
    chunks = [];
    reject(error);
  }
}

function open(req: IncomingMessage, maxBytes: number): busboy.Busboy {
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: 'utf8',
      limits: {
        files: 1,
        fields: 1,
        parts: 2,
        fileSize: maxBytes + 1,
        fieldNameSize: 100,
        fieldSize: 0,
        headerPairs: 20,
      },
    });
  } catch {
    throw malformed(); // no boundary
  }
}

const malformed = (): ApiError => new ApiError('malformed_multipart');
const wrong = (path: string, message: string): ApiError =>
  new ApiError('invalid_input', { errors: [{ path, message }] });
const unexpected = (name: string): ApiError => wrong(name.slice(0, 100), 'is not a field of this request');
