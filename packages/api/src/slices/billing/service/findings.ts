import type { ObjectRef, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf } from '../../../data/rows.ts';
import { BillingFindingModel } from '../model.ts';
import type { BillingFindingPage, ListFindings } from '../schemas.ts';

/**
 * What a provider has and we do not expect: an object that we know nothing of, one of the other environment, a word
 * that we do not know. It is never adopted; staff decide.
 */
interface Finding {
  kind: 'UNKNOWN_OBJECT' | 'OTHER_ENVIRONMENT' | 'UNKNOWN_WORD';
  provider: ProviderName;
  object: ObjectRef;
  /** What the provider says of it. */
  theirs?: string;
}

const NOTE: Statement = {
  text: `
    insert into billing_findings as finding (kind, provider, object_kind, external_id, theirs, found_at, seen_at)
    values ($1, $2, $3, $4, $5, $6, $6)
    on conflict (provider, object_kind, external_id, kind) do update
      set theirs = excluded.theirs, seen_at = greatest(finding.seen_at, excluded.seen_at)`,
};

/** One row for each, however often it is seen. */
export async function noteFinding(ctx: Context, { kind, provider, object, theirs }: Finding): Promise<void> {
  await execute(ctx.db, NOTE, [kind, provider, object.kind, object.id, theirs ?? null, ctx.now]);
}

export async function listFindings(ctx: Context, input: ListFindings): Promise<BillingFindingPage> {
  const list = { name: 'billing-findings', of: 0 };
  const query = rowsOf(BillingFindingModel.query(ctx.db));
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, query);
  return { items: rows.map((finding) => finding.present()), nextCursor };
}
