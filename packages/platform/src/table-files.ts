import { type ZipEntry, zip } from './zip.ts';

/** A value of a table: text, a number, or nothing. */
export type Cell = string | number | null;

/** A table as it is read: its columns, and its rows in batches. */
export interface Table {
  columns: readonly string[];
  batches: AsyncIterable<readonly (readonly Cell[])[]>;
}

/** How many rows are made at once: some 20 kB. */
const ROWS_AT_ONCE = 50;

/**
 * Comma-separated values as RFC 4180 defines them, in UTF-8 with CRLF. Text that a spreadsheet would run as a formula
 * gets an apostrophe in front; numbers stay numbers.
 */
export async function* csvOf({ columns, batches }: Table): AsyncGenerator<string> {
  const line = (cells: readonly Cell[]) => `${cells.map(csvCell).join(',')}\r\n`;
  yield line(columns);
  yield* linesOf(batches, line);
}

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Spreadsheets run text that begins with one of these, also in the full-width forms, as a formula. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** One JSON object for each row, with the columns as its keys. */
export function ndjsonOf({ columns, batches }: Table): AsyncGenerator<string> {
  const line = (row: readonly Cell[]) =>
    `${JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, row[at]])))}\n`;
  return linesOf(batches, line);
}

/**
 * An Office Open XML workbook of one sheet. Text is kept in the cells as text, which is never run. The caller limits
 * the rows: a sheet has room for 1,048,576 with the heading.
 */
export function xlsxOf(table: Table): AsyncGenerator<Uint8Array> {
  return zip(workbook(table));
}

function* workbook(table: Table): Generator<ZipEntry> {
  for (const [name, text] of Object.entries(PARTS)) yield { name, content: once(XML + text) };
  yield { name: 'xl/worksheets/sheet1.xml', content: sheetOf(table) };
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const PARTS = {
  '[Content_Types].xml': `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${TYPE}.worksheet+xml"/></Types>`,
  '_rels/.rels': `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml': `<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><sheets><sheet name="Report" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
};

async function* sheetOf({ columns, batches }: Table): AsyncGenerator<string> {
  const letters = columns.map((_, at) => columnLetters(at));
  let number = 0;
  const line = (cells: readonly Cell[]): string => {
    number++;
    let text = `<row r="${number}">`;
    for (let at = 0; at < cells.length; at++) text += sheetCell(`${letters[at]}${number}`, cells[at]!);
    return `${text}</row>`;
  };
  yield `${XML}<worksheet xmlns="${MAIN}"><sheetData>${line(columns)}`;
  yield* linesOf(batches, line);
  yield '</sheetData></worksheet>';
}

function sheetCell(place: string, cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return `<c r="${place}"><v>${cell}</v></c>`;
  return `<c r="${place}" t="inlineStr"><is><t xml:space="preserve">${xmlText(cell)}</t></is></c>`;
}

/** `A` to `Z`, then `AA`. */
function columnLetters(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : columnLetters(Math.floor(at / 26) - 1) + last;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** What XML 1.0 cannot contain. */
const NOT_IN_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function xmlText(text: string): string {
  return text.replace(NOT_IN_XML, '').replace(/[&<>]/g, (character) => ESCAPES[character]!);
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

async function* linesOf(batches: Table['batches'], line: (row: readonly Cell[]) => string): AsyncGenerator<string> {
  for await (const rows of batches) {
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      let lines = '';
      for (const row of rows.slice(at, at + ROWS_AT_ONCE)) lines += line(row);
      yield lines;
    }
  }
}
