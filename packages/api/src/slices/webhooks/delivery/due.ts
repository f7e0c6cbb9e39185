import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { afterCommit } from '../../../data/transaction.ts';

/** Rows (organization, webhook, time) into `webhook_due`: in one order, so that two statements wait for no circle. */
export const upsertDue = (rows: string): string => `
    insert into webhook_due (organization_id, webhook_id, at)
    select organization_id, webhook_id, min(at) from (${rows}) rows group by 1, 2 order by 1, 2
    on conflict (organization_id, webhook_id) do update
    set at = least(webhook_due.at, excluded.at), changes = webhook_due.changes + 1`;

const MAKE_DUE: Statement = {
  text: `
  with due as (${upsertDue('select $1::bigint as organization_id, $2::bigint as webhook_id, $3::timestamptz as at')})
  select pg_notify('deliveries', '')`,
};

const MAKE_ALL_DUE: Statement = {
  text: `
  with due as (${upsertDue('select organization_id, webhook_id, $2::timestamptz as at from webhook_due where organization_id = $1')})
  select pg_notify('deliveries', '')`,
};

/** What waits for any webhook of the organization is looked at now. */
export async function makeAllDue(db: Knex, organizationId: number, now: Date): Promise<void> {
  await execute(db, MAKE_ALL_DUE, [organizationId, now]);
}

/**
 * Tries a webhook that is pausing once the transaction has committed: who asks may have repaired the receiver. Two
 * statements, because a delivery that is being stored locks the same rows in another order.
 */
export function endPauseAfterCommit({ db, ports, organization }: OrganizationContext, webhookId: number): void {
  const { database, clock, log } = ports;
  const webhook = { organizationId: organization.id, webhookId };
  const endPause = async () => {
    const now = clock.now();
    const pausing = database('webhook_health').where(webhook).where('resumesAt', '>', now);
    if ((await pausing.update({ resumesAt: null })) > 0) await makeDue(database, webhook, now);
  };
  afterCommit(db, () => void endPause().catch((err) => log.warn({ err }, 'a webhook goes on pausing')));
}

/** Something of this webhook is to be sent now: wakes the deliverers when it is committed. */
export async function makeDue(
  db: Knex,
  { organizationId, webhookId }: { organizationId: number; webhookId: number },
  now: Date,
): Promise<void> {
  await execute(db, MAKE_DUE, [organizationId, webhookId, now]);
}
