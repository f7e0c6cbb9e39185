import type { Knex } from '@rentapi/platform/database';

/** How far each member has read in the chat. It refers to no message: the one it was may have been deleted. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table chat_reads (
      organization_id bigint not null,
      user_id bigint not null,
      message_id bigint not null,
      read_at timestamptz not null,
      primary key (organization_id, user_id),
      foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete cascade
    );
    create index chat_reads_newest on chat_reads (organization_id, message_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table chat_reads');
}
