import { type Keyring, mac, sameBytes } from '@rentapi/platform/secrets';
import { z } from 'zod';
import { ApiError } from './errors.ts';

/** Lists answer a page and the cursor of the next; pages are found by key, so page 10,000 costs what page 1 costs. */

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/** What every list takes, and what this one takes besides. All of it may be left out. */
export function pageInput<Filters extends z.ZodRawShape>(filters: Filters) {
  return z.strictObject({ ...PAGE, ...filters }).prefault({} as never); // every field is optional or has a default
}

const PAGE = {
  limit: z
    .int()
    .min(1)
    .max(MAX_LIMIT)
    .default(DEFAULT_LIMIT)
    .meta({ description: `How many items a page holds, at most ${MAX_LIMIT}.`, example: 25 }),
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
      items: z.array(item),
      nextCursor: z.string().nullable().meta({ description: 'Send as `cursor` for the next page; null on the last.' }),
    })
    .meta({ id: name });
}

/** Where a page starts, newest first: the row id of the last item of the page before. */
export interface Cursors {
  /** `list` names the list and whatever filters it, so that a cursor of one list means nothing in another. */
  write(list: string, rowId: number): string;
  /** Throws `invalid_cursor` for whatever `write` did not make for the same list. */
  read(list: string, cursor: string): number;
}

const MAC_BYTES = 12;

export function createCursors(keyring: Keyring): Cursors {
  const sign = (key: Buffer, list: string, position: Buffer) =>
    mac(key, Buffer.concat([position, Buffer.from(list)])).subarray(0, MAC_BYTES);
  return {
    write(list, rowId) {
      const position = Buffer.alloc(8);
      position.writeBigUInt64BE(BigInt(rowId));
      return Buffer.concat([position, sign(keyring.key('rentapi/cursor'), list, position)]).toString('base64url');
    },
    read(list, cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      const position = bytes.subarray(0, 8);
      const genuine =
        bytes.length === 8 + MAC_BYTES &&
        bytes.toString('base64url') === cursor &&
        keyring.keys('rentapi/cursor').some((key) => sameBytes(sign(key, list, position), bytes.subarray(8)));
      if (!genuine) throw new ApiError('invalid_cursor');
      return Number(position.readBigUInt64BE());
    },
  };
}

/**
 * One page of `query`, newest first. `query` selects within one organization and is not ordered; rows have a numeric `id`.
 */
export async function newestFirst<Row extends { id: number }>(
  cursors: Cursors,
  list: string,
  input: { limit: number; cursor?: string | undefined },
  query: {
    where(column: string, operator: string, value: number): unknown;
    orderBy(column: string, order: 'desc'): unknown;
    limit(count: number): PromiseLike<Row[]>;
  },
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  if (input.cursor !== undefined) query.where('id', '<', cursors.read(list, input.cursor));
  query.orderBy('id', 'desc');
  const rows = await query.limit(input.limit + 1); // one more than asked tells whether there is a next page
  const more = rows.length > input.limit;
  if (more) rows.pop();
  return { rows, nextCursor: more ? cursors.write(list, rows.at(-1)!.id) : null };
}
