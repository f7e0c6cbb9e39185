import type { PlanCode } from '@rentapi/api/contract/plans';
import { addMonths } from '@rentapi/api/slices/subscriptions/periods';
import type { Stage } from './stage.ts';

const ADD = `
  with homes as (
    select id, row_number() over (order by id) as at from organizations
    where not exists (select from billing_accounts where organization_id = organizations.id) order by id limit $1
  ), accounts as (
    insert into billing_accounts (organization_id, currency, created_at, updated_at) select id, 'USD', now(), now() from homes
  ), methods as (
    insert into payment_methods (organization_id, provider, status, is_default, external_id, kind, created_at)
    select homes.id, 'stripe', 'ACTIVE', true, card, 'card', now()
    from homes join unnest($2::text[]) with ordinality as cards (card, at) using (at)
  )
  insert into subscriptions (organization_id, status, price_id, quantity, provider, return_url, anchor_at, period_index,
    cycle, period_start, period_end, credits_index, credits_due_at, due_at, created_at, updated_at)
  select homes.id, 'ACTIVE', prices.id, 1, 'stripe', 'http://127.0.0.1/', begun, 0, 1, begun, ended, 1, ended, ended,
         begun, begun
  from homes
  join prices on prices.plan = $5 and prices.interval = 'month' and prices.currency = 'USD'
  join unnest($3::timestamptz[], $4::timestamptz[]) with ordinality as period (begun, ended, at) using (at)`;

/** Subscriptions of organizations without one, each with a card of Stripe and a month that began then. */
export async function addSubscriptions(
  { database }: Pick<Stage, 'database'>,
  plan: PlanCode,
  cards: readonly string[],
  begun: readonly Date[],
): Promise<void> {
  await database.query(ADD, [cards.length, cards, begun, begun.map((anchor) => addMonths(anchor, 1)), plan]);
}
