import { createKeyring } from '@rentapi/platform/secrets';
import { describe, expect, it } from 'vitest';
import { createCursors, newestFirst, type Rows } from './pagination.ts';

interface Row {
  id: number;
  position: number;
}

const cursors = createCursors(createKeyring('secret-key-of-the-tests-0123456789'));
const STORED: Row[] = [3, 1, 4, 15, 9, 2, 6].map((id) => ({ id, position: 100 - id }));
const list = { name: 'rows', of: 7 };

/** Queries again for each page, as the database does. */
function query(): Rows<Row> {
  let rows = [...STORED];
  return {
    where: (column: keyof Row, _: string, value: number | string) =>
      void (rows = rows.filter((row) => row[column] < Number(value))),
    orderBy: (column: keyof Row) => void rows.sort((a, b) => b[column] - a[column]),
    read: async (count: number) => rows.slice(0, count),
  };
}

async function pages(limit: number, by: keyof Row, rows: () => Rows<Row>): Promise<Row[][]> {
  const read: Row[][] = [];
  for (let cursor: string | undefined; read.length < 20; ) {
    const page = await newestFirst(cursors, { ...list, by }, { limit, cursor }, rows());
    read.push(page.rows);
    if (page.nextCursor === null) return read;
    cursor = page.nextCursor;
  }
  throw new Error('there is no last page');
}

describe.each([
  ['a query', query],
  ['an array', () => STORED],
])('pages of %s', (_, rows) => {
  it.each([1, 2, 3, 6, 7, 8])('of %i hold each row once, in order', async (limit) => {
    const byId = await pages(limit, 'id', rows);
    expect(byId.flat().map(({ id }) => id)).toEqual([15, 9, 6, 4, 3, 2, 1]);
    expect(byId).toHaveLength(Math.ceil(STORED.length / limit));
    expect((await pages(limit, 'position', rows)).flat().map(({ id }) => id)).toEqual([1, 2, 3, 4, 6, 9, 15]);
  });
});

describe('a cursor', () => {
  const first = (input: object = {}) => newestFirst(cursors, list, { limit: 2, ...input }, STORED);

  it('is valid for any limit, and for filters in any order', async () => {
    const { nextCursor: cursor } = await first({ status: 'NEW', query: 'a', from: undefined });
    const next = await first({ query: 'a', status: 'NEW', limit: 3, cursor });
    expect(next.rows.map(({ id }) => id)).toEqual([6, 4, 3]);
  });

  it.each([
    ['of another list', { ...list, name: 'others' }, {}],
    ['of another organization', { ...list, of: 8 }, {}],
    ['with another filter', list, { status: 'NEW' }],
  ])('is refused %s', async (_, other, filters) => {
    const { nextCursor } = await first();
    await expect(
      newestFirst(cursors, other, { limit: 2, cursor: nextCursor!, ...filters }, STORED),
    ).rejects.toMatchObject({ errorCode: 'invalid_cursor' });
  });

  it('is refused when one bit differs', async () => {
    const { nextCursor } = await first();
    const bytes = Buffer.from(nextCursor!, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes);
      other[at]! ^= 1;
      await expect(first({ cursor: other.toString('base64url') })).rejects.toMatchObject({
        errorCode: 'invalid_cursor',
      });
    }
  });
});
