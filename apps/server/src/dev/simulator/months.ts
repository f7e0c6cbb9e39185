import { execute, type Statement } from '@rentapi/platform/database';
import type { Counts } from './chaos.ts';
import type { World } from './world.ts';

interface Booked {
  /** The month, as 2028-02. */
  month: string;
  /** Subscriptions that live at its end, and of them those whose payment is missing. */
  live: number;
  pastDue: number;
  ended: number;
  invoices: number;
  /** Payments that succeeded, and those that failed. */
  paid: number;
  failed: number;
  /** Money in USD, in cents: what was paid, refunded, and taken back through banks. */
  paidMinor: number;
  refundedMinor: number;
  disputedMinor: number;
}

/** What happened in a month. */
export interface Month extends Booked, Counts {}

const MONTH: Statement = {
  text: `
    /* across organizations */
    select
      (select count(*) from subscriptions where status in ('TRIALING', 'ACTIVE', 'PAST_DUE')) as live,
      (select count(*) from subscriptions where status = 'PAST_DUE') as "pastDue",
      (select count(*) from subscriptions where ended_at >= $1 and ended_at < $2) as ended,
      (select count(*) from invoices where kind = 'INVOICE' and issued_at >= $1 and issued_at < $2) as invoices,
      (select count(*) from payments where status = 'SUCCEEDED' and paid_at >= $1 and paid_at < $2) as paid,
      (select count(*) from payments where status = 'FAILED' and created_at >= $1 and created_at < $2) as failed,
      (select coalesce(sum(amount_minor), 0)::bigint from payments
        where status = 'SUCCEEDED' and paid_at >= $1 and paid_at < $2) as "paidMinor",
      (select coalesce(sum(amount_minor), 0)::bigint from refunds
        where status = 'SUCCEEDED' and settled_at >= $1 and settled_at < $2) as "refundedMinor",
      (select coalesce(sum(amount_minor), 0)::bigint from disputes
        where created_at >= $1 and created_at < $2) as "disputedMinor"`,
};

export async function readMonth({ ports }: World, from: Date, to: Date): Promise<Booked> {
  const [row] = await execute<Omit<Booked, 'month'>>(ports.database, MONTH, [from, to]);
  return { month: from.toISOString().slice(0, 7), ...row! };
}

const COLUMNS: readonly [title: string, of: (month: Month) => string | number][] = [
  ['month', ({ month }) => month],
  ['live', ({ live }) => live],
  ['past due', ({ pastDue }) => pastDue],
  ['ended', ({ ended }) => ended],
  ['invoices', ({ invoices }) => invoices],
  ['paid', ({ paid }) => paid],
  ['failed', ({ failed }) => failed],
  ['paid USD', ({ paidMinor }) => usd(paidMinor)],
  ['refunded', ({ refundedMinor }) => usd(refundedMinor)],
  ['disputed', ({ disputedMinor }) => usd(disputedMinor)],
  ['events', ({ events }) => events],
  ['lost', ({ lost }) => lost],
  ['faults', ({ faults }) => faults],
];

const WIDTH = 10;
const usd = (minor: number): string => (minor / 100).toFixed(2);

export const heading = (): string => line(COLUMNS.map(([title]) => title));
export const lineOf = (month: Month): string => line(COLUMNS.map(([, of]) => String(of(month))));

const line = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(WIDTH)).join('');
