import type { Knex } from '@rentapi/platform/database';

/** What providers of payments send, and what has to be read from them because of it. No rows of an organization yet. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table provider_events (
      id bigint generated always as identity primary key,
      provider text not null,
      external_id text not null,
      type text not null,
      object_kind text,
      object_id text,
      live boolean not null,
      created_at timestamptz not null,        -- by the provider's clock
      received_at timestamptz not null,
      constraint provider_events_external_unique unique (provider, external_id)
    );
    create index provider_events_received on provider_events (received_at);

    -- Not judged yet, so possibly forged.
    create table held_events (
      id bigint generated always as identity primary key,
      provider text not null,
      digest bytea not null,
      raw bytea not null,
      headers jsonb not null,
      received_at timestamptz not null,
      constraint held_events_digest_unique unique (provider, digest)
    );
    create index held_events_received on held_events (received_at);

    create table provider_objects (
      provider text not null,
      kind text not null,
      external_id text not null,
      dirty_seq bigint not null,              -- grows with each event
      dirty_at timestamptz not null,
      synced_seq bigint not null default 0,   -- the dirty_seq of the newest reading that was applied
      synced_at timestamptz,
      primary key (provider, kind, external_id)
    ) with (fillfactor = 70);
    create index provider_objects_dirty on provider_objects (dirty_at) where synced_seq < dirty_seq;

    create table billing_findings (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('UNKNOWN_OBJECT', 'OTHER_ENVIRONMENT', 'UNKNOWN_WORD')),
      provider text not null,
      object_kind text not null,
      external_id text not null,
      theirs text,
      found_at timestamptz not null,
      seen_at timestamptz not null,
      constraint billing_findings_unique unique (provider, object_kind, external_id, kind)
    );
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table provider_events, held_events, provider_objects, billing_findings');
}
