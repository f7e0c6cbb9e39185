import type { Context } from '../context.ts';
import { ApiError } from './errors.ts';
import type { Ids } from './ids.ts';

/** A row that counts its changes. */
interface Versioned<Shape> {
  version: number;
  present(ids: Ids): Shape;
}

const etagOf = (row: { version: number }): string => `"${row.version}"`;

/** The resource, with its version as `ETag` (RFC 9110, section 8.8.3). */
export function answerWithEtag<Shape>(ctx: Context, row: Versioned<Shape>): Shape {
  ctx.responseHeaders['ETag'] = etagOf(row);
  return row.present(ctx.ids);
}

/** Refuses the change if the caller read another version. `row` is locked, so exactly one of many writers wins. */
export function ifMatch(ctx: Context, row: { version: number }): void {
  const wanted = ctx.request.ifMatch;
  if (wanted === undefined || wanted.trim() === '*') return;
  const listed = wanted.split(',').map((tag) => tag.trim()); // a weak tag never matches (RFC 9110, section 13.1.1)
  if (!listed.includes(etagOf(row))) throw new ApiError('version_mismatch');
}
