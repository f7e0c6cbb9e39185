import { Readable } from 'node:stream';
import { bytes, text } from 'node:stream/consumers';
import { unzipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { type Cell, csvOf, ndjsonOf, type Table, xlsxOf } from './table-files.ts';

function table(...rows: Cell[][]): Table {
  return {
    columns: ['name', 'calls'],
    batches: (async function* () {
      yield rows;
    })(),
  };
}

async function sheetOf(given: Table): Promise<string> {
  const files = unzipSync(await bytes(Readable.from(xlsxOf(given))));
  return Buffer.from(files['xl/worksheets/sheet1.xml']!).toString();
}

describe('CSV', () => {
  it('quotes what would end a cell or a line', async () => {
    expect(await text(csvOf(table(['a,b', 1], ['say "hi"', 2.5], ['two\r\nlines', null])))).toBe(
      'name,calls\r\n"a,b",1\r\n"say ""hi""",2.5\r\n"two\r\nlines",\r\n',
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1'])(
    'makes %j text that is not run',
    async (cell) => {
      const [, ...line] = (await text(csvOf(table([cell, 1])))).split('name,calls\r\n');
      expect(line.join('').replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it('leaves negative numbers as they are', async () => {
    expect(await text(csvOf(table(['refund', -5])))).toBe('name,calls\r\nrefund,-5\r\n');
  });
});

it('NDJSON has an object for each row', async () => {
  const lines = (await text(ndjsonOf(table(['=1', 1], ['b', null])))).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { name: '=1', calls: 1 },
    { name: 'b', calls: null },
  ]);
});

describe('XLSX', () => {
  it('keeps text as text and numbers as numbers', async () => {
    expect(await sheetOf(table(['=1+1', 3], ['<a> & b', null]))).toContain(
      '<row r="2"><c r="A2" t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c><c r="B2"><v>3</v></c></row>' +
        '<row r="3"><c r="A3" t="inlineStr"><is><t xml:space="preserve">&lt;a&gt; &amp; b</t></is></c></row>',
    );
  });

  it('leaves out what XML cannot contain', async () => {
    expect(await sheetOf(table(['a\u0000b\u000bc\ufffe😀', 1]))).toContain('>abc😀<');
  });

  it('names columns beyond Z', async () => {
    const columns = Array.from({ length: 28 }, (_, at) => `c${at}`);
    const sheet = await sheetOf({ columns, batches: table().batches });
    expect(sheet).toMatch(/r="Z1".*r="AA1".*r="AB1"/);
  });
});

it('reads no batch before it is asked for, and ends its source when its reader has gone', async () => {
  for (const make of [csvOf, ndjsonOf, xlsxOf]) {
    let [read, ended] = [0, false];
    async function* batches() {
      try {
        for (;;) {
          read++;
          yield Array.from({ length: 1000 }, (_, at): Cell[] => [`row ${at} of batch ${read}`, Math.random()]);
        }
      } finally {
        ended = true;
      }
    }
    const made = make({ columns: ['name', 'calls'], batches: batches() });
    for (let chunks = 0; chunks < 20; chunks++) await made.next();
    await made.return(undefined);
    await vi.waitFor(() => expect(ended).toBe(true));
    expect(read).toBeLessThan(20);
  }
});
