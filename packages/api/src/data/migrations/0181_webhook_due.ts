import type { Knex } from '@rentapi/platform/database';

/** When to look at a webhook next, so that no claim reads deliveries that cannot be sent; and its attempts by day. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Of webhooks with something to send. Never later than the first delivery that could be sent.
    create table webhook_due (
      organization_id bigint not null,
      webhook_id bigint not null,
      at timestamptz not null,
      changes bigint not null default 0,      -- whether a claim that has looked may set the time
      primary key (organization_id, webhook_id),
      foreign key (organization_id, webhook_id) references webhooks (organization_id, id) on delete cascade
    );
    create index webhook_due_at on webhook_due (at);
    create index webhook_deliveries_pending on webhook_deliveries (organization_id, webhook_id, due_at, id)
      where status = 'PENDING';
    drop index webhook_deliveries_due;
    insert into webhook_due (organization_id, webhook_id, at)
    select organization_id, webhook_id, min(due_at) from webhook_deliveries where status = 'PENDING' group by 1, 2;

    -- The bins of latency-sketch.ts, in which the durations of a day are counted.
    create table webhook_stats (
      organization_id bigint not null,
      webhook_id bigint not null,
      day date not null,
      bin smallint not null,
      attempts integer not null,
      succeeded integer not null,
      primary key (organization_id, webhook_id, day, bin)
    );
    create index webhook_stats_age on webhook_stats (day);
    insert into webhook_stats (organization_id, webhook_id, day, bin, attempts, succeeded)
    select organization_id, webhook_id, (started_at at time zone 'UTC')::date,
           greatest(0, ceil(ln(greatest(duration_ms * 1000, 1)::double precision) / ln(1.01 / 0.99::double precision)))::smallint,
           count(*), count(*) filter (where succeeded)
    from webhook_attempts group by 1, 2, 3, 4;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table webhook_stats, webhook_due;
    drop index webhook_deliveries_pending;
    create index webhook_deliveries_due on webhook_deliveries (due_at) where status = 'PENDING';
  `);
}
