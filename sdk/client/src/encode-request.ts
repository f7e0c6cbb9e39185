import { type EncodedParams, encodeQuery } from './encode.ts';

/** What `client.request` sends. */
export interface RequestInput {
  query?: Record<string, unknown> | undefined;
  /** Sent as JSON, but for text, Blob, FormData, URLSearchParams and bytes, which are sent as they are. */
  body?: unknown;
  contentType?: string | undefined;
  /** The type of the answer, where it is not JSON. */
  accept?: string | undefined;
}

export function encodeRequest(path: string, { query = {}, body, contentType }: RequestInput): EncodedParams {
  // Another origin must not get the credential: in a page, `//evil.example` is one.
  if (!/^\/(?![/\\])/.test(path))
    throw new TypeError(`\`path\` must begin with one slash; it is ${JSON.stringify(path)}.`);
  const search = encodeQuery(Object.keys(query), query);
  const whole = search === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${search}`;
  if (body === undefined || isRawBody(body)) return { path: whole, body, contentType };
  return { path: whole, body: JSON.stringify(body), contentType: contentType ?? 'application/json' };
}

function isRawBody(body: unknown): body is BodyInit {
  return (
    typeof body === 'string' ||
    body instanceof Blob ||
    body instanceof FormData ||
    body instanceof URLSearchParams ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}
