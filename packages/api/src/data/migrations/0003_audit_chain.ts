import type { Knex } from '@rentapi/platform/database';

/**
 * The audit log of each organization becomes a chain: every row gets a hash over the previous hash and its own content,
 * with a salted digest in place of the personal part. So a changed, removed or inserted row is found, and the personal
 * part can still be erased.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table audit_logs
      alter ip drop not null,
      add personal_salt uuid default gen_random_uuid(), -- without it an address could be guessed back from its digest
      add personal_digest bytea,
      add chain_hash bytea;
    create index audit_logs_action on audit_logs (organization_id, action, position);
    create index audit_logs_actor on audit_logs (organization_id, actor_kind, actor_id, position);
    create index audit_logs_target on audit_logs (organization_id, target_kind, target_id, position);

    -- The end of each chain, so that rows cut off its end are missed. 0: what belongs to no organization.
    create table audit_chains (
      organization_id bigint primary key,
      position bigint not null,
      hash bytea not null
    );

    create function audit_personal_digest(entry audit_logs) returns bytea stable language sql
      return sha256(convert_to(jsonb_build_array(
        (entry).personal_salt, (entry).ip, (entry).user_agent, (entry).before, (entry).after)::text, 'UTF8'));

    create function audit_digest(entry audit_logs, place bigint, personal bytea) returns bytea stable language sql
      return sha256(convert_to(jsonb_build_array(
        place, (entry).id, (entry).organization_id, (entry).event_id, (entry).action, (entry).actor_kind, (entry).actor_id,
        (entry).target_kind, (entry).target_id, (entry).request_id, extract(epoch from (entry).created_at),
        encode(personal, 'hex'))::text, 'UTF8'));

    create function audit_link(hash bytea, seed bytea, digest bytea) returns bytea immutable language sql
      return sha256(coalesce(hash, seed) || digest);
    create aggregate audit_chain(seed bytea, digest bytea) (sfunc = audit_link, stype = bytea);

    -- Written once. The stamper may give a row its place and its link; erasing may take its whole personal part away.
    create or replace function refuse_rewrite() returns trigger language plpgsql as $$
    declare
      stamp constant text[] := array['position', 'personal_digest', 'chain_hash'];
      personal constant text[] := array['ip', 'user_agent', 'before', 'after', 'personal_salt'];
    begin
      if tg_op = 'UPDATE' then
        if old.position is null and new.position is not null and to_jsonb(new) - stamp = to_jsonb(old) - stamp then
          return new;
        end if;
        if old.position is not null and to_jsonb(new) - personal = to_jsonb(old) - personal
           and num_nonnulls(new.ip, new.user_agent, new.before, new.after, new.personal_salt) = 0 then
          return new;
        end if;
      end if;
      raise exception '% is append-only', tg_table_name;
    end $$;

    -- Rows from before have a place but no link: the stamper places them anew, in the order they were written.
    alter table audit_logs disable trigger append_only;
    update audit_logs set position = null;
    alter table audit_logs enable trigger append_only;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table audit_chains;
    drop aggregate audit_chain(bytea, bytea);
    drop function audit_link, audit_digest, audit_personal_digest;
    drop index audit_logs_action, audit_logs_actor, audit_logs_target;
    create or replace function refuse_rewrite() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and old.position is null and new.position is not null
         and to_jsonb(new) - 'position' = to_jsonb(old) - 'position' then
        return new;
      end if;
      raise exception '% is append-only', tg_table_name;
    end $$;
    alter table audit_logs disable trigger append_only;
    update audit_logs set ip = '' where ip is null;
    alter table audit_logs enable trigger append_only;
    alter table audit_logs alter ip set not null, drop personal_salt, drop personal_digest, drop chain_hash;
  `);
}
