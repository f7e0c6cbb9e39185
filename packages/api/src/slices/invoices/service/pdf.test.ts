import { describe, expect, it } from 'vitest';
import { exampleInvoice } from '../schemas.ts';
import { drawInvoice, type PrintedInvoice } from './pdf.ts';

const [line] = exampleInvoice.lines;
const invoice: PrintedInvoice = {
  ...exampleInvoice,
  number: 'INV-000042',
  seller: exampleInvoice.seller!,
  buyer: exampleInvoice.buyer!,
  issuedAt: exampleInvoice.issuedAt!,
  dueAt: exampleInvoice.dueAt!,
  correctsNumber: null,
};
const lines = (count: number, description = 'Seat') =>
  Array.from({ length: count }, (_, at) => ({ ...line!, description: `${description} ${at}` }));
const named = (name: string): PrintedInvoice => ({ ...invoice, buyer: { ...invoice.buyer, name } });

const pagesOf = (pdf: Buffer): number => pdf.toString('latin1').match(/\/Type \/Page\n/g)!.length;
/** One below the head of the table on each page, and one above the totals. */
const rulesOf = (pdf: Buffer): number => pdf.toString('latin1').match(/^S$/gm)!.length;
/** How far to the right text begins, in points. */
const rightmost = (pdf: Buffer): number =>
  Math.max(...[...pdf.toString('latin1').matchAll(/^1 0 0 1 (-?[\d.]+) [\d.]+ Tm$/gm)].map(([, x]) => Number(x)));

describe('the PDF of an invoice', () => {
  it('is the same bytes each time', async () => {
    const [first, ...others] = await Promise.all([drawInvoice(invoice), drawInvoice(invoice), drawInvoice(invoice)]);
    expect(others.map((pdf) => pdf.equals(first!))).toEqual([true, true]);
    expect(first!.subarray(0, 5).toString()).toBe('%PDF-');
    expect((await drawInvoice({ ...invoice, number: 'INV-000043' })).equals(first!)).toBe(false);
  });

  it.each([
    [1, 1],
    [3, 1],
    [120, 5],
    [500, 19],
  ])('of %i lines has %i pages, each with the head of the table', async (count, pages) => {
    const pdf = await drawInvoice({ ...invoice, lines: lines(count) });
    expect([pagesOf(pdf), rulesOf(pdf)]).toEqual([pages, pages + 1]);
  });

  it.each([
    ['a very long word', 'W'.repeat(2000)],
    ['many words', 'Gesellschaft mit beschränkter Haftung '.repeat(60)],
    ['control characters', 'Ac\u0000me\u0007\u001b[31m\r\nGmbH\u2028Ltd'],
    ['marks that turn text', '\u202eHbmG emcA\u202c \u200f\u2066x\u2069'],
    ['scripts that the font lacks', '株式会社テスト 漢字 한국어 🎉'],
    ['scripts from right to left', 'שלום עולם مرحبا'],
    ['nothing', ' \u200b'],
    ['half a character', 'a\ud83d'],
    ['operators of PDF', '(Acme) Tj ET Q endstream endobj <</JS (x)>>'],
  ])('takes a name of %s', async (_, name) => {
    const pdf = await drawInvoice({ ...named(name), lines: lines(3, name) });
    expect(rightmost(pdf)).toBeLessThan(545);
    expect(pdf.toString('latin1')).not.toContain('/JS (x)');
    expect((await drawInvoice({ ...named(name), lines: lines(3, name) })).equals(pdf)).toBe(true);
  });

  it('prints nothing that controls or turns text', async () => {
    expect((await drawInvoice(named('Ac\u202eme\u0000'))).equals(await drawInvoice(named('Acme')))).toBe(true);
    expect((await drawInvoice(named('漢字'))).equals(await drawInvoice(named('\ufffd\ufffd')))).toBe(true);
  });

  it('says for how many units a price of usage is, and how its amount is rounded', async () => {
    const usage = { ...line!, quantity: 1_234_567, unitSize: 1000 };
    const [pdf, each] = await Promise.all([
      drawInvoice({ ...invoice, lines: [usage] }),
      drawInvoice({ ...invoice, lines: [{ ...usage, unitSize: 1 }] }),
    ]);
    const texts = (drawn: Buffer) => drawn.toString('latin1').match(/^ET$/gm)!.length;
    // The unit price has a second line, and the note two.
    expect(texts(pdf)).toBeGreaterThan(texts(each));
    expect(rightmost(pdf)).toBeLessThan(545);
  });

  it('holds amounts that are as large as any', async () => {
    const amount = { amountMinor: 1e14, currency: 'EUR' };
    const large = { ...line!, quantity: 1e12, unitPrice: amount, amount, tax: amount };
    const pdf = await drawInvoice({ ...invoice, lines: [large, large], total: amount, subtotal: amount });
    expect([pagesOf(pdf), rightmost(pdf) < 545]).toEqual([1, true]);
  });
});
