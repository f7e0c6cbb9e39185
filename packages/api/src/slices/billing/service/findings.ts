import type { ObjectRef, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf } from '../../../data/rows.ts';
import { BillingFindingModel } from '../model.ts';
import type { BillingFinding, BillingFindingPage, ListFindings } from '../schemas.ts';

/** What a provider has and we do not expect. It is never adopted in silence; staff decide. */
interface Finding {
  kind: BillingFinding['kind'];
  provider: ProviderName;
  object: ObjectRef;
  /** What we have of it, where that is comparable. */
  ours?: string;
  /** What the provider says of it. */
  theirs?: string;
}

const NOTE: Statement = {
  text: `
    insert into billing_findings as finding (kind, provider, object_kind, external_id, ours, theirs, found_at, seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, $7)
    on conflict (provider, object_kind, external_id, kind) do update
      set ours = excluded.ours, theirs = excluded.theirs, state = 'OPEN', seen_at = greatest(finding.seen_at, excluded.seen_at)`,
};

/** One row for each, however often it is seen. */
export async function noteFinding(ctx: Context, { kind, provider, object, ours, theirs }: Finding): Promise<void> {
  await execute(ctx.db, NOTE, [kind, provider, object.kind, object.id, ours ?? null, theirs ?? null, ctx.now]);
}

const RESOLVE: Statement = {
  text: `
    update billing_findings set state = 'RESOLVED'
    where state = 'OPEN' and kind = $1 and provider = $2 and object_kind = $3 and external_id = $4`,
};

/** What was off is so no more. */
export async function resolveFinding(
  { db }: Context,
  { kind, provider, object }: Pick<Finding, 'kind' | 'provider' | 'object'>,
): Promise<void> {
  await execute(db, RESOLVE, [kind, provider, object.kind, object.id]);
}

/** It has turned out whose it is. */
export async function forgetUnknown(ctx: Context, provider: ProviderName, object: ObjectRef): Promise<void> {
  await resolveFinding(ctx, { kind: 'UNKNOWN_OBJECT', provider, object });
}

export async function listFindings(ctx: Context, input: ListFindings): Promise<BillingFindingPage> {
  const { state } = input;
  const list = { name: 'billing-findings', of: 0 };
  const query = BillingFindingModel.query(ctx.db);
  if (state) query.where({ state });
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(query));
  return { items: rows.map((finding) => finding.present()), nextCursor };
}
