import type { Knex } from '@rentapi/platform/database';

/** A price says what usage costs, too: calls beyond those that its plan includes, and the units of meters. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function are_usage_prices(given jsonb) returns boolean language sql immutable as $$
      select case when jsonb_typeof(given) <> 'array' then false else
        jsonb_array_length(given) <= 50
        and (select count(distinct coalesce(price ->> 'meter', '')) from jsonb_array_elements(given) as price) = jsonb_array_length(given)
        and not exists (
          select from jsonb_array_elements(given) as price
          where not coalesce(
            (price ->> 'amountMinor') ~ '^[1-9][0-9]{0,11}$' and (price ->> 'unitSize') ~ '^[1-9][0-9]{0,11}$'
            and jsonb_typeof(price -> 'amountMinor') = 'number' and jsonb_typeof(price -> 'unitSize') = 'number'
            and (price -> 'meter' = 'null' or (price ->> 'meter') ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'), false)
        ) end
    $$;

    -- A meter of null is for calls beyond those included. An amount is for as many units as unitSize says.
    alter table prices add column usage jsonb not null default '[]' check (are_usage_prices(usage));

    -- Prices that were agreed to stay as they were.
    alter table prices disable trigger refuse_price_rewrite;
    update prices set usage = jsonb_build_array(jsonb_build_object('meter', null, 'unitSize', 1000, 'amountMinor',
      case plan when 'BASIC' then 40 when 'PRO' then 20 else 10 end))
    where plan <> 'FREE' and archived_at is null and not exists (
      select from subscriptions /* across organizations */
      where prices.id in (price_id, pending_price_id, change_price_id));
    alter table prices enable trigger refuse_price_rewrite;

    alter table invoice_lines add column unit_size bigint not null default 1 check (unit_size > 0); -- units for unit_minor
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table invoice_lines drop column unit_size;
    alter table prices drop column usage;
    drop function are_usage_prices;
  `);
}
