import { execute } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { OrganizationPurged } from '../events.ts';
import { OrganizationModel, RESTORE_WINDOW_MS } from '../model.ts';

const ORGANIZATIONS = 20;
const BATCH = 5000;
/** Clocks of two machines differ: an organization that one of them may still restore is not purged yet. */
const CLOCK_SKEW_MS = 60_000;

/**
 * The tables whose rows go, those that refer to others first. By their names, because most belong to slices above. A
 * test compares them with the database.
 */
export const PURGED_TABLES = [
  'webhook_attempts',
  'webhook_deliveries',
  'webhook_due',
  'webhook_health',
  'webhook_stats',
  'webhooks',
  'chat_reads',
  'chat_messages',
  'organization_invitations',
  'limit_overrides',
  'included_calls',
  'payment_methods',
  'payment_customers',
  'usage_periods',
  'usage_terms',
  'subscriptions',
  'coupon_redemptions',
  'used_trials',
  'billing_accounts',
  'realtime_tickets',
  'api_key_credits',
  'api_key_notices',
  'api_key_old_secrets',
  'api_key_reports',
  'api_key_uses',
  'api_keys',
  'role_assignments',
  'roles',
  'organization_members',
  'meters',
  'usage_events',
  'usage_transactions',
  'usage_calls',
  'usage_rollups',
  'usage_hours',
  'usage_spans',
] as const;

/** Purges what can no longer be restored, one organization after the other. A run that is stopped goes on later. */
export async function purgeDeletedOrganizations(ctx: Context, control: RunControl): Promise<void> {
  const over = new Date(ctx.now.getTime() - RESTORE_WINDOW_MS - CLOCK_SKEW_MS);
  for (;;) {
    const due = await OrganizationModel.query(ctx.db)
      .where('deletedAt', '<=', over)
      .whereNull('purgedAt')
      .orderBy('deletedAt')
      .limit(ORGANIZATIONS);
    if (due.length === 0) return;
    for (const { id } of due) {
      await purgeRows(ctx, id, control);
      if (control.signal.aborted) return;
      await emptyOrganization(ctx, id);
    }
  }
}

async function purgeRows(ctx: Context, organizationId: number, { touch, signal }: RunControl): Promise<void> {
  for (const table of PURGED_TABLES) {
    // In a partitioned table, a place names a row in each partition: all of them are of this organization.
    const text = `
      with gone as (
        delete from ${table} where organization_id = $1
          and ctid = any(array(select ctid from ${table} where organization_id = $1 limit ${BATCH}))
        returning 1
      ) select count(*)::integer as count from gone`;
    for (let more = true; more && !signal.aborted; touch()) {
      const [gone] = await execute<{ count: number }>(ctx.db, { text }, [organizationId]);
      more = gone!.count >= BATCH;
    }
  }
  await emptyEvents(ctx, organizationId, { touch, signal });
}

/** Events keep their places, to which the audit log refers. */
async function emptyEvents(ctx: Context, organizationId: number, { touch, signal }: RunControl): Promise<void> {
  const text = `
    with page as (
      select id, position from events where organization_id = $1 and position > $2 order by position limit ${BATCH}
    ), emptied as (
      update events set data = '{}' from page
      where events.organization_id = $1 and events.id = page.id and events.data <> '{}'
    ) select max(position) as last from page`;
  for (let after: number | null = -1; after !== null && !signal.aborted; touch()) {
    const [page]: { last: number | null }[] = await execute(ctx.db, { text }, [organizationId, after]);
    after = page!.last;
  }
}

/** What is left is a row without content, to which the audit log refers. */
async function emptyOrganization(ctx: Context, organizationId: number): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const before = await OrganizationModel.query(ctx.db).findById(organizationId).forUpdate().throwIfNotFound();
    if (before.purgedAt) return;
    const target = await change(ctx, before, {
      name: 'Erased',
      slug: null,
      subdomain: null,
      metadata: {},
      limitOverride: null,
      purgedAt: ctx.now,
    });
    const data = { id: ctx.ids.encode('org', organizationId) };
    await record(ctx, OrganizationPurged, { target, data, organizationId });
  });
}
