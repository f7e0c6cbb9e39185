import type { ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { writeAtEnd } from '../../../data/transaction.ts';

/**
 * The money journal. A debit is above zero, a credit below; each entry is zero in each currency. `cash_…` is what a
 * provider holds for us, `disputes` what it has taken back until a dispute ends. ADR 27 has an entry of each kind.
 */
export type Account =
  | 'receivable'
  | 'customer_balance'
  | `cash_${ProviderName}`
  | 'revenue'
  | 'tax'
  | 'fees'
  | 'refunds'
  | 'disputes'
  | 'credit_debt';

interface Line {
  account: Account;
  currency: string;
  amountMinor: number;
}

type EntryKind =
  | 'PAYMENT'
  | 'FEE'
  | 'REFUND'
  | 'DISPUTE_OPENED'
  | 'DISPUTE_WON'
  | 'DISPUTE_LOST'
  | 'INVOICE_FINALISED'
  | 'INVOICE_VOIDED'
  | 'INVOICE_CREDITED';

export interface Entry {
  kind: EntryKind;
  /** The row that it is about: of one source, each kind is posted once. */
  source: { kind: 'payment' | 'refund' | 'dispute' | 'invoice'; id: number };
  organizationId: number;
  at: Date;
  lines: readonly Line[];
}

const POST: Statement = { name: 'journal_post', text: 'select journal_post($1, $2, $3, $4, $5, $6, $7, $8) as posted' };

/** Far more than any entry has: an invoice posts one for each rate of tax. */
const MAX_LINES = 100;

/**
 * Posts an entry in the caller's transaction. False: it was posted before, or all its lines are zero. Lines that do not
 * add up to zero undo the transaction at its commit.
 */
export async function postEntry(ctx: Context, entry: Entry): Promise<boolean> {
  const moved = movedBy(ctx, entry);
  if (moved.length === 0) return false;
  const { kind, source, organizationId, at } = entry;
  const [row] = await execute<{ posted: boolean }>(ctx.db, POST, [
    organizationId,
    kind,
    source.kind,
    source.id,
    at,
    moved.map(({ account }) => account),
    moved.map(({ currency }) => currency),
    moved.map(({ amountMinor }) => amountMinor),
  ]);
  return row!.posted;
}

const POST_ALL: Statement = {
  name: 'journal_post_all',
  text: `
    select count(journal_post(organization_id, kind, source_kind, source_id, at, accounts, currencies, amounts))
    from json_to_recordset($1) as entry (organization_id bigint, kind text, source_kind text, source_id bigint,
      at timestamptz, accounts text[], currencies text[], amounts bigint[])`,
};

/** The same at the end of the transaction, with all its other entries, where it does not matter which is new. */
export async function postAtEnd(ctx: Context, entry: Entry): Promise<void> {
  const moved = movedBy(ctx, entry);
  if (moved.length === 0) return;
  await writeAtEnd(ctx.db, POST_ALL, {
    organization_id: entry.organizationId,
    kind: entry.kind,
    source_kind: entry.source.kind,
    source_id: entry.source.id,
    at: entry.at,
    accounts: moved.map(({ account }) => account),
    currencies: moved.map(({ currency }) => currency),
    amounts: moved.map(({ amountMinor }) => amountMinor),
  });
}

function movedBy(ctx: Context, { kind, source, lines }: Entry): Line[] {
  if (!ctx.db.isTransaction) throw new Error('an entry is posted in the transaction of its cause');
  const moved = lines.filter(({ amountMinor }) => amountMinor !== 0);
  if (moved.length > MAX_LINES || !moved.every(({ amountMinor }) => Number.isSafeInteger(amountMinor))) {
    throw new RangeError(`the entry ${kind} of ${source.kind} ${source.id} cannot be posted`);
  }
  return moved;
}
