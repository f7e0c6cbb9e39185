import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';
import type { Font } from 'fontkit';
import { formatMoney, type Money } from '../../../contract/money.ts';
import type { Invoice, InvoiceLine, Party } from '../schemas.ts';

type Document = PDFKit.PDFDocument;

/** An invoice that is final, as it is printed. */
export interface PrintedInvoice extends Omit<Invoice, 'number' | 'seller' | 'buyer' | 'issuedAt' | 'dueAt'> {
  number: string;
  seller: Party;
  buyer: Party;
  issuedAt: string;
  dueAt: string;
  /** Of a credit note: the number of the invoice. */
  correctsNumber: string | null;
}

/** A4 in points. */
const PAGE = { width: 595.28, height: 841.89 };
const MARGIN = 50;
const RIGHT = PAGE.width - MARGIN;
const BOTTOM = PAGE.height - 70;
const GREY = '#555555';
const GAP = 6;

declare global {
  namespace PDFKit.Mixins {
    interface PDFFont {
      /** A parsed font too, which its types leave out. */
      registerFont(name: string, font: Font): this;
    }
  }
}

let loading: Promise<Awaited<ReturnType<typeof load>>> | undefined;

/** With the first invoice: some 25 MB, which idle servers do without. Fonts are parsed once. */
async function load() {
  const [{ default: PDFDocument }, { openSync }] = await Promise.all([import('pdfkit'), import('fontkit')]);
  const { resolve } = createRequire(import.meta.url);
  const open = (file: string): Font => {
    const font = openSync(resolve(`dejavu-fonts-ttf/ttf/${file}`));
    if (!('hasGlyphForCodePoint' in font)) throw new Error(`${file} is no font`);
    return font;
  };
  return { PDFDocument, regular: open('DejaVuSans.ttf'), bold: open('DejaVuSans-Bold.ttf') };
}

/** The same bytes for the same invoice: every date is its own, and nothing is compressed by the runtime's library. */
export async function drawInvoice(given: PrintedInvoice): Promise<Buffer> {
  loading ??= load();
  const { PDFDocument, regular, bold } = await loading;
  const invoice = printable(given, (text) => plain(text, regular));
  const title = `${invoice.kind === 'INVOICE' ? 'Invoice' : 'Credit note'} ${invoice.number}`;
  const document = new PDFDocument({
    size: [PAGE.width, PAGE.height],
    margin: 0,
    font: '', // none: it would be Helvetica, which has no Ł
    compress: false,
    bufferPages: true,
    lang: 'en',
    displayTitle: true,
    info: { Title: title, Author: invoice.seller.name, CreationDate: new Date(invoice.issuedAt) },
  });
  const whole = buffer(document);
  document.registerFont('regular', regular).registerFont('bold', bold);
  drawHead(document, invoice, title);
  drawLines(document, invoice.lines);
  drawTotals(document, invoice);
  drawFeet(document, title);
  document.end();
  return whole;
}

const MAX_TEXT = 500;

/** Printed for a character that the font lacks, such as those of Chinese. */
const MISSING = '\ufffd';

/** Text of others, of a length that fits, without what controls, hides or turns text. */
function plain(text: string, font: Font): string {
  const characters = [
    ...text
      .normalize('NFC')
      .replace(/[\p{Z}\s]+/gu, ' ')
      .replace(/\p{C}/gu, '')
      .trim(),
  ];
  return characters
    .slice(0, MAX_TEXT)
    .map((character) => (font.hasGlyphForCodePoint(character.codePointAt(0)!) ? character : MISSING))
    .join('');
}

/** An invoice with every text of others made plain. */
function printable(invoice: PrintedInvoice, print: (text: string) => string): PrintedInvoice {
  const party = ({ name, address, taxId }: Party): Party => ({
    name: print(name),
    address: address && { lines: address.lines.map(print), country: address.country },
    taxId: taxId && print(taxId),
  });
  return {
    ...invoice,
    seller: party(invoice.seller),
    buyer: party(invoice.buyer),
    note: invoice.note && print(invoice.note),
    lines: invoice.lines.map((line) => ({ ...line, description: print(line.description) })),
  };
}

const day = (moment: string): string => moment.slice(0, 10);

interface Cell {
  x: number;
  width: number;
  align?: 'left' | 'right';
}

/** Writes text at the top of a cell, in as many lines as it needs. Returns where it ends. */
function write(document: Document, text: string, y: number, { x, width, align = 'left' }: Cell): number {
  let below = y;
  for (const line of wrap(document, text, width)) {
    const left = align === 'left' ? x : x + width - document.widthOfString(line);
    document.text(line, left, below, { lineBreak: false });
    below += document.currentLineHeight(true);
  }
  return below;
}

/** By words; a word that is too long is broken anywhere. */
function wrap(document: Document, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (document.widthOfString(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = document.widthOfString(word) <= width ? [word] : breakWord(document, word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1)!;
  }
  return [...lines, line];
}

function breakWord(document: Document, word: string, width: number): string[] {
  const pieces = [''];
  let left = width;
  for (const character of word) {
    const its = document.widthOfString(character);
    if (its > left && left < width) {
      pieces.push('');
      left = width;
    }
    left -= its;
    pieces[pieces.length - 1] += character;
  }
  return pieces;
}

function drawHead(document: Document, invoice: PrintedInvoice, title: string): void {
  const half = (RIGHT - MARGIN - 20) / 2;
  const [left, right] = [
    { x: MARGIN, width: half },
    { x: MARGIN + half + 20, width: half },
  ];
  document.font('bold', 18);
  const top = write(document, title, MARGIN, { x: MARGIN, width: RIGHT - MARGIN }) + 12;
  const afterSeller = drawParty(document, 'From', invoice.seller, top, left);
  const afterBuyer = drawParty(document, 'To', invoice.buyer, top, right);
  const facts: [string, string][] = [
    ['Date', day(invoice.issuedAt)],
    ...(invoice.kind === 'INVOICE' ? [['Due', day(invoice.dueAt)] as [string, string]] : []),
    ...(invoice.correctsNumber === null ? [] : [['Corrects invoice', invoice.correctsNumber] as [string, string]]),
    ...(invoice.note === null ? [] : [['Reason', invoice.note] as [string, string]]),
  ];
  let y = Math.max(afterSeller, afterBuyer) + 16;
  for (const [name, value] of facts) {
    document.font('regular', 9).fillColor(GREY);
    write(document, name, y, { x: MARGIN, width: 110 });
    document.fillColor('black');
    y = write(document, value, y, { x: MARGIN + 110, width: RIGHT - MARGIN - 110 }) + 2;
  }
  document.y = y + 12;
}

function drawParty(document: Document, role: string, { name, address, taxId }: Party, top: number, cell: Cell): number {
  document.font('regular', 8).fillColor(GREY);
  let y = write(document, role, top, cell) + 2;
  document.font('bold', 10).fillColor('black');
  y = write(document, name, y, cell);
  document.font('regular', 9);
  const country = address?.country ?? null;
  const lines = [...(address?.lines ?? []), ...(country === null ? [] : [country])];
  for (const line of [...lines, ...(taxId === null ? [] : [`Tax id ${taxId}`])]) {
    y = write(document, line, y, cell);
  }
  return y;
}

const COLUMNS = {
  description: { x: MARGIN, width: 220 },
  quantity: { x: MARGIN + 225, width: 50, align: 'right' },
  unitPrice: { x: MARGIN + 280, width: 85, align: 'right' },
  tax: { x: MARGIN + 370, width: 40, align: 'right' },
  amount: { x: MARGIN + 415, width: RIGHT - MARGIN - 415, align: 'right' },
} as const;

function drawTableHead(document: Document, y: number): number {
  document.font('bold', 8).fillColor('black');
  write(document, 'Quantity', y, COLUMNS.quantity);
  write(document, 'Unit price', y, COLUMNS.unitPrice);
  write(document, 'Tax', y, COLUMNS.tax);
  write(document, 'Amount', y, COLUMNS.amount);
  const below = write(document, 'Description', y, COLUMNS.description) + 3;
  drawRule(document, below);
  return below + GAP;
}

function drawRule(document: Document, y: number): void {
  document.moveTo(MARGIN, y).lineTo(RIGHT, y).lineWidth(0.5).stroke(GREY);
}

function drawLines(document: Document, lines: readonly InvoiceLine[]): void {
  let y = drawTableHead(document, document.y);
  for (const line of lines) {
    document.font('regular', 9);
    const cells = cellsOf(line);
    const rows = cells.map(([text, { width }]) => wrap(document, text, width).length);
    const { periodStart, periodEnd } = line;
    const period = periodStart && periodEnd ? `${day(periodStart)} to ${day(periodEnd)}` : null;
    if (y + (Math.max(...rows) + (period ? 1 : 0)) * document.currentLineHeight(true) > BOTTOM) {
      document.addPage();
      y = drawTableHead(document, MARGIN);
    }
    document.font('regular', 9).fillColor('black');
    const ends = cells.map(([text, cell]) => write(document, text, y, cell));
    if (period) {
      document.font('regular', 7.5).fillColor(GREY);
      ends[0] = write(document, period, ends[0]!, COLUMNS.description);
    }
    y = Math.max(...ends) + GAP;
  }
  document.y = y;
}

const cellsOf = (line: InvoiceLine): [text: string, cell: Cell][] => [
  [line.description, COLUMNS.description],
  [String(line.quantity), COLUMNS.quantity],
  [unitPriceOf(line), COLUMNS.unitPrice],
  [percent(line.taxRatePpm ?? 0), COLUMNS.tax],
  [formatMoney(line.amount), COLUMNS.amount],
];

/** `0.40 EUR / 1,000`. */
const unitPriceOf = ({ unitPrice, unitSize }: InvoiceLine): string => {
  if (!unitPrice) return '';
  return unitSize === 1 ? formatMoney(unitPrice) : `${formatMoney(unitPrice)} / ${unitSize.toLocaleString('en-US')}`;
};

/** `19 %`, `7.5 %`. */
const percent = (ppm: number): string => `${ppm / 10_000} %`;

const TOTALS = {
  name: { x: MARGIN + 225, width: 185, align: 'right' },
  amount: { x: MARGIN + 415, width: RIGHT - MARGIN - 415, align: 'right' },
} as const;

const REVERSE_CHARGE =
  'Reverse charge: the recipient of the service owes the tax (Articles 44 and 196 of Directive 2006/112/EC).';

const ROUNDED =
  'Amounts of usage are quantity × unit price, rounded to the nearest smallest unit of the currency, and half of one up.';

function drawTotals(document: Document, invoice: PrintedInvoice): void {
  const rows: [string, Money][] = [['Subtotal', invoice.subtotal], ...taxRows(invoice), ['Total', invoice.total]];
  if (invoice.balance.amountMinor !== 0) {
    const left = invoice.total.amountMinor - invoice.balance.amountMinor;
    const { currency } = invoice.total;
    rows.push(['From the balance', { amountMinor: -invoice.balance.amountMinor, currency }]);
    rows.push(['To be paid', { amountMinor: left, currency }]);
  }
  const notes = invoice.taxTreatment === 'REVERSE_CHARGE' ? [REVERSE_CHARGE] : [];
  if (invoice.lines.some(({ unitSize }) => unitSize > 1)) notes.push(ROUNDED);
  if (document.y + rows.length * 15 + notes.length * 30 + 20 > BOTTOM) {
    document.addPage();
    document.y = MARGIN;
  }
  let y = document.y;
  drawRule(document, y);
  y += GAP;
  for (const [name, amount] of rows) {
    document.font(name === 'Total' || name === 'To be paid' ? 'bold' : 'regular', 9).fillColor('black');
    write(document, name, y, TOTALS.name);
    y = write(document, formatMoney(amount), y, TOTALS.amount) + 3;
  }
  document.font('regular', 8).fillColor(GREY);
  for (const note of notes) y = write(document, note, y + 10, { x: MARGIN, width: RIGHT - MARGIN });
}

/** The tax of each rate, on the sum of its lines. */
function taxRows({ lines, total: { currency } }: PrintedInvoice): [string, Money][] {
  const rates = [...new Set(lines.map(({ taxRatePpm }) => taxRatePpm ?? 0))].sort((a, b) => b - a);
  return rates.map((rate) => {
    const mine = lines.filter(({ taxRatePpm }) => (taxRatePpm ?? 0) === rate);
    const sum = (read: (line: InvoiceLine) => Money) => ({
      amountMinor: mine.reduce((total, line) => total + read(line).amountMinor, 0),
      currency,
    });
    return [`Tax ${percent(rate)} on ${formatMoney(sum(({ amount }) => amount))}`, sum(({ tax }) => tax)];
  });
}

function drawFeet(document: Document, title: string): void {
  const { count } = document.bufferedPageRange();
  for (let at = 0; at < count; at++) {
    document.switchToPage(at);
    document.font('regular', 7.5).fillColor(GREY);
    write(document, title, PAGE.height - 45, { x: MARGIN, width: 300 });
    write(document, `Page ${at + 1} of ${count}`, PAGE.height - 45, { x: RIGHT - 100, width: 100, align: 'right' });
  }
}
