import { systemContext } from '@rentapi/api/context';
import { transaction } from '@rentapi/api/data/transaction';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../test/app.ts';
import { type Entry, postAtEnd, postEntry } from './service/journal.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const AT = new Date('2026-01-31T12:00:00Z');
let last = 0;
/** An entry of a payment of its own. */
const entry = (change: Partial<Entry> = {}): Entry => ({
  kind: 'PAYMENT',
  source: { kind: 'payment', id: ++last },
  organizationId: 7,
  at: AT,
  lines: [
    { account: 'cash_stripe', currency: 'EUR', amountMinor: 970 },
    { account: 'fees', currency: 'EUR', amountMinor: 30 },
    { account: 'revenue', currency: 'EUR', amountMinor: -1000 },
  ],
  ...change,
});
const post = (...entries: Entry[]) =>
  transaction(systemContext(app.ports, 'test'), async (ctx) => {
    const posted: boolean[] = [];
    for (const each of entries) posted.push(await postEntry(ctx, each));
    return posted;
  });
const linesOf = ({ source }: Entry) =>
  app
    .rows('journal_lines')
    .join('journal_entries', 'journal_entries.id', 'journal_lines.entry_id')
    .where({ sourceKind: source.kind, sourceId: source.id })
    .orderBy(['entry_id', 'number'])
    .select('kind', 'account', 'currency', 'amountMinor', 'journal_lines.organization_id');

describe('an entry of the money journal', () => {
  it('has its lines in order, without those that are zero', async () => {
    const made = entry();
    const lines = [...made.lines, { account: 'tax' as const, currency: 'EUR', amountMinor: 0 }];
    expect(await post({ ...made, lines })).toEqual([true]);
    expect(await linesOf(made)).toEqual(made.lines.map((line) => ({ kind: 'PAYMENT', organizationId: 7, ...line })));
  });

  it('is posted once for its source and kind, also by fifty at once', async () => {
    const made = entry();
    const posted = await Promise.all(Array.from({ length: 50 }, () => post(made)));
    expect(posted.flat().filter(Boolean)).toHaveLength(1);
    expect(await post({ ...made, kind: 'FEE' })).toEqual([true]);
    expect(await linesOf(made)).toHaveLength(6);
  });

  it('is posted once with others at the end of a transaction', async () => {
    const [first, second, none] = [entry(), entry(), entry({ lines: [] })];
    for (let repeat = 0; repeat < 2; repeat++)
      await transaction(systemContext(app.ports, 'test'), async (ctx) => {
        for (const each of [first, second, none]) await postAtEnd(ctx, each);
        expect(await linesOf(first)).toHaveLength(3 * repeat);
      });
    for (const made of [first, second])
      expect(await linesOf(made)).toEqual(made.lines.map((line) => ({ kind: 'PAYMENT', organizationId: 7, ...line })));
    const bad = entry({ lines: [{ account: 'revenue', currency: 'EUR', amountMinor: 1 }] });
    const unbalanced = transaction(systemContext(app.ports, 'test'), (ctx) => postAtEnd(ctx, bad));
    await expect(unbalanced).rejects.toThrow(/journal entry \d+ does not balance/);
  });

  it('of zeros alone is none', async () => {
    const made = entry({ lines: [{ account: 'revenue', currency: 'EUR', amountMinor: 0 }] });
    expect(await post(made)).toEqual([false]);
    expect(await app.rows('journal_entries').where({ sourceId: made.source.id })).toEqual([]);
  });

  it.each([
    [
      'is not zero',
      [
        ['EUR', 1000],
        ['EUR', -999],
      ],
    ],
    [
      'is zero only over two currencies',
      [
        ['EUR', 1000],
        ['USD', -1000],
      ],
    ],
    ['has one line', [['EUR', 1]]],
  ] as const)('that %s undoes its transaction at the commit', async (_, lines) => {
    const good = entry();
    const bad = entry({
      lines: lines.map(([currency, amountMinor]) => ({ account: 'revenue', currency, amountMinor })),
    });
    await expect(post(good, bad)).rejects.toThrow(/journal entry \d+ does not balance/);
    expect(await linesOf(good)).toEqual([]);
  });

  it.each([1.5, Number.NaN, 2 ** 53])('of %s is refused before it is written', async (amountMinor) => {
    const made = entry({ lines: [{ account: 'revenue', currency: 'EUR', amountMinor }] });
    await expect(post(made)).rejects.toThrow('cannot be posted');
  });

  it('is posted in the transaction of its cause only', async () => {
    await expect(postEntry(systemContext(app.ports, 'test'), entry())).rejects.toThrow('in the transaction');
  });
});

describe('the money journal', () => {
  it.each([
    'update journal_entries set at = now()',
    'delete from journal_entries',
    'update journal_lines set amount_minor = amount_minor',
    'delete from journal_lines',
    'truncate journal_lines',
    'truncate journal_entries cascade',
  ])('refuses its own owner: %s', async (statement) => {
    await post(entry());
    await expect(app.rows.raw(statement)).rejects.toThrow('is append-only');
  });

  it.each([
    "update journal_entries set kind = 'REFUND' where organization_id = 7",
    'delete from journal_lines where organization_id = 7',
    "insert into journal_entries (organization_id, kind, source_kind, source_id, at) values (7, 'PAYMENT', 'payment', 0, '2026-01-31')",
    "insert into journal_lines (organization_id, entry_id, number, account, currency, amount_minor) values (7, 1, 9, 'revenue', 'EUR', 1)",
  ])('refuses the role that serves: %s', async (statement) => {
    await expect(app.ports.database.raw(statement)).rejects.toThrow('permission denied');
  });

  it('has no entry without lines, by its owner neither', async () => {
    const insert = `insert into journal_entries (organization_id, kind, source_kind, source_id, at)
      values (7, 'PAYMENT', 'payment', 999999, now())`;
    await expect(app.rows.raw(insert)).rejects.toThrow('has no lines');
  });

  it('takes no line that unbalances an old entry', async () => {
    const made = entry();
    await post(made);
    const insert = `insert into journal_lines select organization_id, id, 9, 'revenue', 'EUR', 1 from journal_entries where source_id = ?`;
    await expect(app.rows.raw(insert, [made.source.id])).rejects.toThrow('does not balance');
  });
});
