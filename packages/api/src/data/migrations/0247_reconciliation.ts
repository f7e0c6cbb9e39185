import type { Knex } from '@rentapi/platform/database';

/** How far the lists of providers have been read, and what they say has moved. No rows of an organization. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table provider_lists (
      provider text not null,
      list text not null check (list in ('events', 'movements')),
      since timestamptz not null,             -- everything before it has been listed
      looked_at timestamptz not null,         -- by the last run of the job, which notices a pause by it
      began_at timestamptz,                   -- a listing that has not ended,
      page text,                              -- and its next page
      primary key (provider, list)
    );

    create table provider_movements (
      provider text not null,
      external_id text not null,
      kind text not null check (kind in ('charge', 'refund', 'dispute', 'other')),
      source_id text,
      currency text not null,
      amount_minor bigint not null,           -- what leaves is below zero
      fee_minor bigint not null,
      at timestamptz not null,
      primary key (provider, external_id)
    );
    create index provider_movements_source on provider_movements (provider, source_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table provider_movements, provider_lists');
}
