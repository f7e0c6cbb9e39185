import type { ObjectKind, ProviderName } from '@rentapi/payments/payment-provider';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { noteFinding, resolveFinding } from '../../billing/service/findings.ts';
import { postEntry } from './journal.ts';

/** Both sides of a payment with its refunds and disputes: what the journal says, and what its provider has moved. */
interface Compared {
  organizationId: number;
  provider: ProviderName;
  externalId: string;
  currency: string;
  ours: number;
  ourFees: number;
  theirs: number;
  theirFees: number;
  /** A dispute whose fee is not posted yet. */
  disputeId: number | null;
}

/** Of some hundred organizations at once: more than staff look at. */
const MAX_COMPARED = 1000;

/**
 * Payments on which everything has ended and that the provider's list of movements covers, where both sides differ, or
 * did so when they were last compared. What is settled in another currency cannot be compared.
 */
const COMPARE: Statement = {
  text: `
    /* across organizations */
    with settled as (
      select payment.organization_id, payment.id, payment.provider, payment.external_id, payment.capture_id, payment.currency
      from payments payment
      join provider_lists listed on listed.provider = payment.provider and listed.list = 'movements'
      where payment.organization_id = any ($1) and payment.status = 'SUCCEEDED' and payment.capture_id is not null
        and payment.paid_at >= listed.started_at and payment.updated_at < listed.since - interval '1 day'
        and not exists (select from refunds where refunds.organization_id = payment.organization_id
          and refunds.payment_id = payment.id and (refunds.status = 'PENDING' or refunds.updated_at >= listed.since - interval '1 day'))
        and not exists (select from disputes where disputes.organization_id = payment.organization_id
          and disputes.payment_id = payment.id and (disputes.status = 'OPEN' or disputes.updated_at >= listed.since - interval '1 day'))
    ), rows as (
      select organization_id, id, 'payment' as source_kind, id as source_id, capture_id as source from settled
      union all
      select refunds.organization_id, payment_id, 'refund', refunds.id, refunds.external_id from refunds
      join settled on settled.organization_id = refunds.organization_id and settled.id = payment_id
      where refunds.organization_id = any ($1)
      union all
      select disputes.organization_id, payment_id, 'dispute', disputes.id, disputes.external_id from disputes
      join settled on settled.organization_id = disputes.organization_id and settled.id = payment_id
      where disputes.organization_id = any ($1)
    ), posted as (
      select rows.organization_id, rows.id,
        sum(line.amount_minor)::bigint as amount, -- of what the provider has, and of what it took for it
        coalesce(sum(line.amount_minor) filter (where line.account = 'fees'), 0)::bigint as fees
      from rows
      join settled using (organization_id, id)
      join journal_entries entry on entry.organization_id = rows.organization_id
        and entry.source_kind = rows.source_kind and entry.source_id = rows.source_id
      join journal_lines line on line.organization_id = entry.organization_id and line.entry_id = entry.id
      where line.account in ('fees', 'cash_' || settled.provider)
      group by 1, 2
    ), moved as (
      select rows.organization_id, rows.id, sum(movement.amount_minor)::bigint as amount, sum(movement.fee_minor)::bigint as fees,
        bool_or(movement.currency <> settled.currency) as is_converted
      from rows
      join settled using (organization_id, id)
      join provider_movements movement on movement.provider = settled.provider and movement.source_id = rows.source
      group by 1, 2
    ), compared as (
      select settled.*, coalesce(posted.amount, 0) as ours, coalesce(posted.fees, 0) as our_fees,
        coalesce(moved.amount, 0) as theirs, coalesce(moved.fees, 0) as their_fees
      from settled
      left join posted using (organization_id, id)
      left join moved using (organization_id, id)
      where not coalesce(moved.is_converted, false)
    )
    select organization_id as "organizationId", provider, external_id as "externalId", currency,
      ours, our_fees as "ourFees", theirs, their_fees as "theirFees",
      (select min(rows.source_id) from rows where rows.organization_id = compared.organization_id and rows.id = compared.id
        and rows.source_kind = 'dispute' and not exists (select from journal_entries fee where fee.organization_id = rows.organization_id
          and fee.source_kind = 'dispute' and fee.source_id = rows.source_id and fee.kind = 'FEE')) as "disputeId"
    from compared
    where (ours, our_fees) <> (theirs, their_fees) or exists (
      select from billing_findings finding where finding.provider = compared.provider and finding.object_kind = 'charge'
        and finding.external_id = compared.external_id and finding.kind = 'MOVEMENT_DIFFERS' and finding.state = 'OPEN')
    order by (ours, our_fees) <> (theirs, their_fees) limit $2`,
};

/** Compares the payments of these organizations with the movements of their providers. */
export async function compareMovements(ctx: Context, organizations: readonly number[]): Promise<void> {
  for (const payment of await execute<Compared>(ctx.db, COMPARE, [organizations, MAX_COMPARED])) {
    const { provider, externalId, currency, ours, ourFees, theirs, theirFees } = payment;
    const finding = { kind: 'MOVEMENT_DIFFERS', provider, object: { kind: 'charge', id: externalId } } as const;
    if (await agrees(ctx, payment)) await resolveFinding(ctx, finding);
    else {
      const sides = { ours: inWords(ours, ourFees, currency), theirs: inWords(theirs, theirFees, currency) };
      await noteFinding(ctx, { ...finding, ...sides });
    }
  }
}

const inWords = (amountMinor: number, feesMinor: number, currency: string): string =>
  `${amountMinor} ${currency}, less fees of ${feesMinor}`;

/** Also after the fee of a dispute is posted, which only the movement says. */
async function agrees(ctx: Context, payment: Compared): Promise<boolean> {
  const { ours, ourFees, theirs, theirFees, disputeId, organizationId, currency, provider } = payment;
  if (ours !== theirs) return false;
  const feeMinor = theirFees - ourFees;
  if (feeMinor === 0) return true;
  if (feeMinor < 0 || disputeId === null) return false;
  return postEntry(ctx, {
    kind: 'FEE',
    source: { kind: 'dispute', id: disputeId },
    organizationId,
    at: ctx.now,
    lines: [
      { account: 'fees', currency, amountMinor: feeMinor },
      { account: `cash_${provider}`, currency, amountMinor: -feeMinor },
    ],
  });
}

const HOUR_MS = 3_600_000;
/** Looked at again until then: whose it is may turn out. */
const WINDOW_MS = 72 * HOUR_MS;
const MAX_UNKNOWN = 500;

const UNKNOWN: Statement = {
  text: `
    /* across organizations */
    select kind, source_id as "sourceId", currency, sum(amount_minor)::bigint as "amountMinor", sum(fee_minor)::bigint as "feeMinor"
    from provider_movements movement
    where provider = $1 and kept_at between $2 and $3 and kind <> 'other' and source_id is not null
      and not exists (select from payments where provider = $1 and capture_id = movement.source_id)
      and not exists (select from refunds where provider = $1 and external_id = movement.source_id)
      and not exists (select from disputes where provider = $1 and external_id = movement.source_id)
    group by kind, source_id, currency order by source_id limit $4`,
};

const KNOWN: Statement = {
  text: `
    /* across organizations */
    select external_id as id, object_kind as kind from billing_findings finding
    where kind = 'UNKNOWN_MOVEMENT' and state = 'OPEN' and provider = $1 and (
      exists (select from payments where provider = $1 and capture_id = finding.external_id)
      or exists (select from refunds where provider = $1 and external_id = finding.external_id)
      or exists (select from disputes where provider = $1 and external_id = finding.external_id))
    limit $2`,
};

/** Money that has moved for nothing of ours. An hour is time enough to read what its event was about. */
export async function findUnknownMovements(ctx: Context, provider: ProviderName): Promise<void> {
  const now = ctx.now.getTime();
  await transaction(ctx, async (ctx) => {
    const values = [provider, new Date(now - WINDOW_MS), new Date(now - HOUR_MS), MAX_UNKNOWN];
    const unknown = await execute<UnknownMovement>(ctx.db, UNKNOWN, values);
    for (const { kind, sourceId, amountMinor, feeMinor, currency } of unknown) {
      const theirs = inWords(amountMinor, feeMinor, currency);
      await noteFinding(ctx, { kind: 'UNKNOWN_MOVEMENT', provider, object: { kind, id: sourceId }, theirs });
    }
    const known = await execute<{ id: string; kind: ObjectKind }>(ctx.db, KNOWN, [provider, MAX_UNKNOWN]);
    for (const object of known) await resolveFinding(ctx, { kind: 'UNKNOWN_MOVEMENT', provider, object });
  });
}

interface UnknownMovement {
  kind: 'charge' | 'refund' | 'dispute';
  sourceId: string;
  currency: string;
  amountMinor: number;
  feeMinor: number;
}
