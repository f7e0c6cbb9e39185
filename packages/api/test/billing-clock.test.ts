import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** The slices that bill. What they do has to be the same when the clock of a test, or of a simulation, runs ahead. */
const SLICES = ['billing', 'payments', 'payment-methods', 'books', 'credits', 'plans', 'subscriptions', 'invoices'];

/** Of the database, and of the process: `ctx.now` is the only clock. */
const CLOCKS = /\bnow\(\)|current_timestamp|clock_timestamp|\bDate\.now\(|\bnew Date\(\)/i;
/** Of a port, which tests move. */
const OF_A_PORT = /clock\.now\(\)/g;

it('takes the time from the call alone, in all that bills', () => {
  const slices = path.join(import.meta.dirname, '../src/slices');
  const files = SLICES.flatMap((slice) =>
    readdirSync(path.join(slices, slice), { recursive: true, encoding: 'utf8' }).map((file) => path.join(slice, file)),
  ).filter((file) => file.endsWith('.ts') && !/\.(test|proofs)\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(40);
  const other = files.flatMap((file) =>
    readFileSync(path.join(slices, file), 'utf8')
      .split('\n')
      .flatMap((line, at) => (CLOCKS.test(line.replace(OF_A_PORT, '')) ? [`${file}:${at + 1}`] : [])),
  );
  expect(other).toEqual([]);
});
