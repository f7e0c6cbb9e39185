import type { Knex } from '@rentapi/platform/database';

/** How much of the calls that a plan includes was used in a month, as it was last announced. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table included_calls (
      organization_id bigint not null references organizations (id),
      month date not null,
      calls bigint not null,
      reached smallint not null check (reached in (50, 80, 100)), -- percent of the calls that the plan included
      primary key (organization_id, month)
    );
    -- Set while a plan that refuses further calls has none left. The plan of the moment decides whether it counts.
    alter table organizations add column calls_used_up_until timestamptz;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table organizations drop column calls_used_up_until;
    drop table included_calls;
  `);
}
