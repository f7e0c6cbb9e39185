import type { Knex } from '@rentapi/platform/database';

/**
 * Organizations that people create and invite others to: names, members' roles, invitations, and the time of the last
 * login.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Names are [a-z0-9-] only, so of all the characters that look alike these are left: 0 o, 1 l, rn m, vv w.
    create function look_alike(name text) returns text immutable strict parallel safe language sql
      return replace(replace(translate(name, '01', 'ol'), 'rn', 'm'), 'vv', 'w');

    alter table organizations
      add slug text check (slug ~ '^[a-z0-9-]{3,63}$'),
      add subdomain text check (subdomain ~ '^[a-z0-9-]{3,63}$'),
      add plan text not null default 'FREE' check (plan in ('FREE', 'BASIC', 'PRO', 'ENTERPRISE')),
      add deletion_protection boolean not null default false,
      add metadata jsonb not null default '{}',
      add deleted_at timestamptz;
    create unique index organizations_slug_unique on organizations (look_alike(slug));
    create unique index organizations_subdomain_unique on organizations (look_alike(subdomain));
    create index organizations_subdomain on organizations (subdomain);

    -- Where a person is when the organization they were in is gone or has removed them.
    alter table users add personal_organization_id bigint references organizations (id);
    update users set personal_organization_id = default_organization_id;
    alter table users alter personal_organization_id set not null;
    create index users_personal_organization on users (personal_organization_id);

    alter table sessions add authenticated_at timestamptz not null default now();
    update sessions set authenticated_at = created_at;

    -- custom_permissions: what the assigned roles add, computed when roles or assignments change, so that a request reads one row.
    alter table organization_members
      add custom_permissions text[] not null default '{}',
      add version integer not null default 1,
      add updated_at timestamptz not null default now();

    -- Ids below 1000 stand for the four organization roles, which are no rows.
    create table roles (
      id bigint generated always as identity (start with 1000),
      organization_id bigint not null references organizations (id),
      name text not null,
      name_key text not null,       -- lower case
      description text,
      parent_id bigint,
      permissions text[] not null,
      effective_permissions text[] not null,  -- its own and those of all its ancestors
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint roles_name_unique unique (organization_id, name_key),
      foreign key (organization_id, parent_id) references roles (organization_id, id)
    );
    create index roles_parent on roles (organization_id, parent_id);

    create table role_assignments (
      id bigint generated always as identity,
      organization_id bigint not null,
      user_id bigint not null,
      role_id bigint not null,
      created_at timestamptz not null,
      primary key (organization_id, id),
      constraint role_assignments_unique unique (organization_id, user_id, role_id),
      foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete cascade,
      foreign key (organization_id, role_id) references roles (organization_id, id) on delete cascade
    );
    create index role_assignments_role on role_assignments (organization_id, role_id);

    create table organization_invitations (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      email text not null,
      email_key text not null,
      role text not null check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
      status text not null default 'PENDING' check (status in ('PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED', 'EXPIRED')),
      -- Whoever vouches for it: at acceptance they must still be able to grant the role.
      inviter_user_id bigint references users (id),
      inviter_key_id bigint,
      token_hash bytea,             -- null until the mail is on its way
      expires_at timestamptz not null,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint organization_invitations_token_unique unique (token_hash),
      foreign key (organization_id, inviter_key_id) references api_keys (organization_id, id)
    );
    create unique index organization_invitations_pending_unique on organization_invitations (organization_id, email_key)
      where status = 'PENDING';
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table organization_invitations, role_assignments, roles;
    alter table organization_members drop custom_permissions, drop version, drop updated_at;
    alter table sessions drop authenticated_at;
    alter table users drop personal_organization_id;
    alter table organizations drop slug, drop subdomain, drop plan, drop deletion_protection, drop metadata, drop deleted_at;
    drop function look_alike;
  `);
}
