import type { Context } from '../context.ts';
import { ApiError } from './errors.ts';
import type { Ids } from './ids.ts';

/** A row with a version number. */
interface Versioned<Shape> {
  version: number;
  present(ids: Ids): Shape;
}

const etagOf = (row: { version: number }): string => `"${row.version}"`;

/** The resource, with its version as `ETag` (RFC 9110, section 8.8.3). */
export function presentWithEtag<Shape>(ctx: Context, row: Versioned<Shape>): Shape {
  ctx.responseHeaders['ETag'] = etagOf(row);
  return row.present(ctx.ids);
}

/**
 * Refuses the change if `If-Match` names another version, or `If-None-Match` names this one (RFC 9110, sections 13.1.1
 * and 13.1.2). The row is locked, so exactly one of many writers succeeds.
 */
export function ifMatch(ctx: Context, row: { version: number }): void {
  const { ifMatch, ifNoneMatch } = ctx.request;
  const etag = etagOf(row);
  // A weak tag never matches.
  if (ifMatch !== undefined && !lists(ifMatch, etag)) throw new ApiError('version_mismatch');
  if (ifNoneMatch !== undefined && listsWeakly(ifNoneMatch, etag))
    throw new ApiError('version_mismatch', {
      detail: 'Leave `If-None-Match` out: the resource exists in a version that it names. `If-Match` guards a change.',
    });
}

/** Whether the caller already has the version in the answer. An answer without a version never matches. */
export function isNotModified({ request, responseHeaders }: Context): boolean {
  const etag = responseHeaders['ETag'];
  return etag !== undefined && request.ifNoneMatch !== undefined && listsWeakly(request.ifNoneMatch, etag);
}

function lists(tags: string, etag: string): boolean {
  const listed = tags.split(',').map((tag) => tag.trim());
  return listed.includes(etag) || tags.trim() === '*';
}

/** Weak comparison: proxies that compress an answer make its tag weak. */
const listsWeakly = (tags: string, etag: string): boolean => lists(tags.replaceAll('W/', ''), etag);
