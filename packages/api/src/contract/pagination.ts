import type { KeyObject } from 'node:crypto';
import { type Keyring, mac, sameBytes } from '@rentapi/platform/secrets';
import { z } from 'zod';
import { ApiError } from './errors.ts';

/**
 * A list answers a page and the cursor of the next one. Pages are found by key, so page 10,000 costs the same as page
 * 1.
 */

const DEFAULT_LIMIT = 25;
export const MAX_PAGE = 100;

/** The input of a list: the page, and the filters of this list. Every field is optional. */
export function pageInput<Filters extends z.ZodRawShape>(filters: Filters) {
  return z.strictObject({ ...PAGE, ...filters }).prefault({} as never); // every field is optional or has a default
}

const PAGE = {
  limit: z
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(DEFAULT_LIMIT)
    .meta({ description: `How many items a page holds, at most ${MAX_PAGE}.`, example: 25 }),
  cursor: z
    .string()
    .max(500)
    .meta({ description: '`nextCursor` of the previous page; leave out for the first.' })
    .optional(),
};

/** `{ items, nextCursor }`; the cursor is null on the last page. */
export function page<Item extends z.ZodType>(name: string, item: Item) {
  return z
    .object({
      items: z.array(item).meta({ description: 'What is on this page, in the order of the list.' }),
      nextCursor: z.string().nullable().meta({ description: 'Send as `cursor` for the next page; null on the last.' }),
    })
    .meta({ id: name, description: 'One page of a list.' });
}

/** Where a page starts: the position of the last item of the previous page. */
export interface Cursors {
  /** `list` names the list and its filters, so that a cursor of one list is invalid in another. */
  write(list: string, position: number): string;
  /** Throws `invalid_cursor` for text that `write` did not make for the same list. */
  read(list: string, cursor: string): number;
  /** The same for a list in the order of a text. */
  writeText(list: string, position: string): string;
  readText(list: string, cursor: string): string;
}

const MAC_BYTES = 12;

export function createCursors(keyring: Keyring): Cursors {
  const sign = (key: KeyObject, list: string, position: Buffer) =>
    mac(key, Buffer.concat([position, Buffer.from(list)])).subarray(0, MAC_BYTES);
  const write = (list: string, position: Buffer) =>
    Buffer.concat([position, sign(keyring.key('rentapi/cursor'), list, position)]).toString('base64url');
  const read = (list: string, cursor: string): Buffer => {
    const bytes = Buffer.from(cursor, 'base64url');
    const position = bytes.subarray(0, -MAC_BYTES);
    const signature = bytes.subarray(position.length);
    const genuine =
      position.length > 0 &&
      bytes.toString('base64url') === cursor &&
      keyring.keys('rentapi/cursor').some((key) => sameBytes(sign(key, list, position), signature));
    if (!genuine) throw new ApiError('invalid_cursor');
    return position;
  };
  return {
    write(list, position) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(position));
      return write(list, bytes);
    },
    read: (list, cursor) => Number(read(list, cursor).readBigUInt64BE()),
    writeText: (list, position) => write(list, Buffer.from(position)),
    readText: (list, cursor) => read(list, cursor).toString(),
  };
}

/** A query without an order, as `rowsOf` makes it. */
export interface QueriedRows<Row> {
  where(column: string, operator: string, value: number | string): unknown;
  orderBy(column: string, order: 'asc' | 'desc'): unknown;
  read(count: number): Promise<Row[]>;
}

/** The source of a page: rows of one organization or user. */
export type Rows<Row> = readonly Row[] | QueriedRows<Row>;

export interface List<Row> {
  name: string;
  /** The organization or user that owns the list. */
  of: number;
  /** The column to order by: a unique number that only grows. `id` by default. */
  by?: keyof Row & string;
}

/** One page, newest first. Every field of `input` except `limit` and `cursor` is a filter, which `rows` has applied. */
export async function newestFirst<Row extends { id: number }>(
  cursors: Cursors,
  { name, of, by = 'id' }: List<Row>,
  input: { limit: number; cursor?: string | undefined },
  rows: Rows<Row>,
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  const { limit, cursor } = input;
  const list = listKey({ name, of }, input);
  const below = cursor === undefined ? Number.POSITIVE_INFINITY : cursors.read(list, cursor);
  const positionOf = (row: Row) => Number(row[by]);
  const found = await take(rows, by, positionOf, below, limit + 1); // one extra row shows whether there is a next page
  const more = found.length > limit;
  if (more) found.pop();
  return { rows: found, nextCursor: more ? cursors.write(list, positionOf(found.at(-1)!)) : null };
}

/** Where a list is ordered by another column: a unique one, so that pages neither repeat nor leave out a row. */
export interface Order<Row> {
  column: string;
  direction: 'asc' | 'desc';
  positionOf(row: Row): number | string;
}

/** One page in this order, which is one of the filters in `input`: so a cursor is valid in its own order only. */
export async function inOrder<Row>(
  cursors: Cursors,
  named: Pick<List<Row>, 'name' | 'of'>,
  input: { limit: number; cursor?: string | undefined },
  { column, direction, positionOf }: Order<Row>,
  { rows, isText }: { rows: QueriedRows<Row>; isText: boolean },
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  const { limit, cursor } = input;
  const list = listKey(named, input);
  if (cursor !== undefined) {
    const position = isText ? cursors.readText(list, cursor) : cursors.read(list, cursor);
    rows.where(column, direction === 'asc' ? '>' : '<', position);
  }
  rows.orderBy(column, direction);
  const found = await rows.read(limit + 1); // one extra row shows whether there is a next page
  const more = found.length > limit;
  if (more) found.pop();
  if (!more) return { rows: found, nextCursor: null };
  const last = positionOf(found.at(-1)!);
  return {
    rows: found,
    nextCursor: isText ? cursors.writeText(list, String(last)) : cursors.write(list, Number(last)),
  };
}

/** Names the list and its filters. */
function listKey(
  { name, of }: { name: string; of: number },
  { limit: _, cursor: __, ...filters }: object & Page,
): string {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  return JSON.stringify([name, of, given.sort()]);
}

interface Page {
  limit: number;
  cursor?: string | undefined;
}

async function take<Row>(
  rows: Rows<Row>,
  by: string,
  positionOf: (row: Row) => number,
  below: number,
  count: number,
): Promise<Row[]> {
  if ('where' in rows) {
    if (below < Number.POSITIVE_INFINITY) rows.where(by, '<', below);
    rows.orderBy(by, 'desc');
    return rows.read(count);
  }
  return rows
    .filter((row) => positionOf(row) < below)
    .sort((a, b) => positionOf(b) - positionOf(a))
    .slice(0, count);
}
