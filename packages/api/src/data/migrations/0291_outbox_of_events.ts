import type { Knex } from '@rentapi/platform/database';

/** Work of no event is in no index of events: it comes and goes in bursts. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    drop index outbox_event;
    create index outbox_event on outbox (event_id) where event_id is not null;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index outbox_event;
    create index outbox_event on outbox (event_id);
  `);
}
