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

const FORGET: Statement = {
  text: `
    delete from billing_findings
    where provider = $1 and object_kind = $2 and external_id = $3 and kind = 'UNKNOWN_OBJECT'`,
};

/** It has turned out whose it is. */
export async function forgetUnknown({ db }: Context, provider: ProviderName, { kind, id }: ObjectRef): Promise<void> {
  await execute(db, FORGET, [provider, kind, id]);
}

export async function listFindings(ctx: Context, input: ListFindings): Promise<BillingFindingPage> {
  const list = { name: 'billing-findings', of: 0 };
  const query = rowsOf(BillingFindingModel.query(ctx.db));
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, query);
  return { items: rows.map((finding) => finding.present()), nextCursor };
}
