import type { Knex } from '@rentapi/platform/database';

/** Accounts, organizations, sessions, keys, and the outbox that feeds jobs and events. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Checks that every process of a deployment has the same secrets: of each only a derived check value.
    create table deployment_secrets (
      name text primary key,
      check_value bytea not null
    );

    create table organizations (
      id bigint generated always as identity primary key,
      name text not null,
      personal boolean not null default false,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );

    create table users (
      id bigint generated always as identity primary key,
      email text not null,
      email_key text not null,      -- the mailbox: NFKC, lower case
      username text,
      username_key text,
      full_name text,
      password_hash text,
      status text not null default 'ACTIVE' check (status in ('ACTIVE', 'INACTIVE', 'SUSPENDED', 'DELETED')),
      role text not null default 'USER' check (role in ('SUPER_ADMIN', 'ADMIN', 'USER', 'VIEWER')),
      email_verified_at timestamptz,
      default_organization_id bigint not null references organizations (id),
      metadata jsonb not null default '{}',
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      constraint users_email_key_unique unique (email_key),
      constraint users_username_key_unique unique (username_key)
    );
    create index users_default_organization on users (default_organization_id);

    create table organization_members (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      user_id bigint not null references users (id),
      role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint organization_members_user_unique unique (organization_id, user_id)
    );
    create index organization_members_user on organization_members (user_id);

    -- The truth about who is signed in; access tokens only name a row of it.
    create table sessions (
      id bigint generated always as identity primary key,
      public_id uuid not null default gen_random_uuid() unique,
      user_id bigint not null references users (id),
      ip text not null,
      user_agent text,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz
    );
    create index sessions_user on sessions (user_id);

    create table refresh_tokens (
      id bigint generated always as identity primary key,
      session_id bigint not null references sessions (id) on delete cascade,
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      child_id bigint,
      child_sealed bytea
    );
    create index refresh_tokens_session on refresh_tokens (session_id);
    create index refresh_tokens_child on refresh_tokens (child_id) where child_id is not null;

    create table verification_tokens (
      id bigint generated always as identity primary key,
      user_id bigint not null references users (id) on delete cascade,
      purpose text not null check (purpose in ('email')),
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index verification_tokens_user on verification_tokens (user_id);

    create table api_keys (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      name text not null,
      description text,
      secret_hash bytea not null,
      prefix text not null,
      last4 text not null,
      environment text not null check (environment in ('live', 'test')),
      scopes text[] not null,
      ip_allow_list text[] not null default '{}',
      allowed_origins text[] not null default '{}',
      rate_limit_per_minute integer,
      rate_limit_per_hour integer,
      rate_limit_per_day integer,
      metadata jsonb not null default '{}',
      created_by bigint references users (id),
      expires_at timestamptz,
      revoked_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint api_keys_secret_hash_unique unique (secret_hash)
    );

    -- Single-use tickets with which a socket is opened, so that no credential stands in a URL.
    create table realtime_tickets (
      ticket_hash bytea primary key,
      session_id bigint references sessions (id) on delete cascade,
      organization_id bigint,
      api_key_id bigint,
      expires_at timestamptz not null,
      foreign key (organization_id, api_key_id) references api_keys (organization_id, id) on delete cascade
    );

    -- What happened, for everybody outside. Ids are taken before the commit, so they are no order: \`position\` is.
    create table events (
      id bigint generated always as identity primary key,
      organization_id bigint references organizations (id),
      type text not null,
      data jsonb not null,
      created_at timestamptz not null,
      position bigint unique
    );
    create index events_unstamped on events (id) where position is null;
    create index events_organization on events (organization_id, position);

    -- Who did it, with what came before and after.
    create table audit_logs (
      id bigint generated always as identity primary key,
      organization_id bigint references organizations (id),
      event_id bigint references events (id),
      action text not null,
      actor_kind text not null check (actor_kind in ('user', 'key', 'system')),
      actor_id bigint,
      target_kind text not null,
      target_id bigint not null,
      before jsonb,
      after jsonb,
      ip text not null,
      user_agent text,
      request_id text not null,
      created_at timestamptz not null,
      position bigint unique
    );
    create index audit_logs_unstamped on audit_logs (id) where position is null;
    create index audit_logs_organization on audit_logs (organization_id, position);

    -- Work that events cause, until it is done.
    create table outbox (
      id bigint generated always as identity primary key,
      event_id bigint not null references events (id) on delete cascade,
      job text not null,
      attempts integer not null default 0,
      available_at timestamptz not null,
      failed_at timestamptz,
      last_error text
    );
    create index outbox_due on outbox (available_at) where failed_at is null;
    create index outbox_event on outbox (event_id);

    create table idempotency_keys (
      key_hash bytea primary key,
      input_mac bytea not null,
      token uuid not null,
      claimed_at timestamptz not null,
      answer bytea
    );
    create index idempotency_keys_age on idempotency_keys (claimed_at);

    create function notify_recorded() returns trigger language plpgsql as $$
    begin
      perform pg_notify('recorded', '');
      return null;
    end $$;
    create trigger recorded after insert on events for each statement execute function notify_recorded();

    -- Both logs are written once. Only the stamper may touch a row again, and only to give it its place.
    create function refuse_rewrite() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and old.position is null and new.position is not null
         and to_jsonb(new) - 'position' = to_jsonb(old) - 'position' then
        return new;
      end if;
      raise exception '% is append-only', tg_table_name;
    end $$;
    create trigger append_only before update or delete on audit_logs for each row execute function refuse_rewrite();
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table idempotency_keys, outbox, audit_logs, events, realtime_tickets, api_keys, verification_tokens,
      refresh_tokens, sessions, organization_members, users, organizations, deployment_secrets;
    drop function notify_recorded, refuse_rewrite;
  `);
}
