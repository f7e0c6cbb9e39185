import type { Operation } from './operation.ts';

export interface EncodedParams {
  /** Path and query string. */
  path: string;
  body: BodyInit | undefined;
  contentType: string | undefined;
}

/** Distributes the flat parameters of a call over path, query string and body. */
export function encodeParams(operation: Operation, given: object): EncodedParams {
  const params: Record<string, unknown> = { ...given };
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(params[name] ?? '');
    delete params[name];
    // An empty or dotted segment would make the URL of another operation.
    if (value === '' || value === '.' || value === '..')
      throw new TypeError(`${operation.id}: \`${name}\` must be an id, not '${value}'.`);
    return encodeURIComponent(value);
  });
  const names = operation.body ? (operation.query ?? []) : Object.keys(params);
  const search = encodeQuery(names, params);
  for (const name of names) delete params[name];
  return { path: search === '' ? path : `${path}?${search}`, ...encodeBody(operation, params) };
}

export function encodeQuery(names: readonly string[], params: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const name of names)
    for (const value of [params[name]].flat())
      if (value !== undefined && value !== null) query.append(name, text(value));
  return query.toString();
}

function encodeBody(operation: Operation, params: Record<string, unknown>): Omit<EncodedParams, 'path'> {
  if (operation.body === 'json') return { body: JSON.stringify(params), contentType: 'application/json' };
  if (operation.body === 'form') {
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) {
      for (const item of [value].flat())
        if (item !== undefined && item !== null) form.append(name, item instanceof Blob ? item : text(item));
    }
    // The runtime adds the content type, which names the boundary.
    return { body: form, contentType: undefined };
  }
  if (operation.body === 'raw') {
    const body = params.body instanceof Blob ? params.body : text(params.body ?? '');
    return { body, contentType: operation.contentType ?? 'application/octet-stream' };
  }
  return { body: undefined, contentType: undefined };
}

/** How much is sent again with a repeat. Field names and boundaries of a form are not counted. */
export function bodyBytes(body: BodyInit | undefined): number {
  if (typeof body === 'string') return new TextEncoder().encode(body).length;
  if (body instanceof Blob) return body.size;
  if (body instanceof URLSearchParams) return bodyBytes(body.toString());
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  let bytes = 0;
  if (body instanceof FormData)
    body.forEach((value) => {
      bytes += bodyBytes(value);
    });
  return bytes;
}

function text(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
