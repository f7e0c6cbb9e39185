import type { Knex } from '@rentapi/platform/database';

/** A payment can be refunded in parts, and each part takes back its share of the credits. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table credit_grants
      add column taken_back bigint not null default 0 check (taken_back between 0 and amount),
      add column taken_elsewhere bigint not null default 0; -- of what was spent: taken from other grants, or owed

    -- Takes credits of a grant back, until that many have been in all: what is left of it goes first; for what was
    -- spent, others go, or it becomes a debt. What has expired is not taken twice. Null if there is nothing to take.
    create function credit_take_back(org bigint, of_source text, of_key text, total bigint, at timestamptz, why text default null,
      out removed bigint, out owed bigint) language plpgsql security definer as $$
    declare
      made credit_grants;
      wanted bigint;
      part bigint;
      spent bigint;
      elsewhere bigint;
      taken bigint := 0;
      revoke_key text;
    begin
      perform credit_lock(org, at);
      select * into made from credit_grants
      where organization_id = org and source = of_source and source_key = of_key and revoked_at is null;
      if not found then
        return;
      end if;
      wanted := least(total, made.amount) - made.taken_back;
      if wanted <= 0 then
        return;
      end if;
      revoke_key := 'revoke/' || of_source || '/' || of_key || '/' || least(total, made.amount);
      part := least(wanted, made.remaining);
      if part > 0 then
        perform credit_move(org, revoke_key, 'REVOKE', made.id, -part, at, why);
        taken := part;
      end if;
      -- Frozen credits thaw first, so that the entries of a grant add up to what is left of it.
      part := least(wanted - taken, made.frozen);
      if part > 0 then
        perform credit_move(org, revoke_key || '/frozen', 'THAW', made.id, part, at, why);
        perform credit_move(org, revoke_key || '/frozen', 'REVOKE', made.id, -part, at, why);
        taken := taken + part;
      end if;
      -- Also what it gave for a debt, or for another grant that was taken back.
      select coalesce(-sum(amount), 0) - made.taken_elsewhere into spent from credit_ledger
      where organization_id = org and grant_id = made.id and (kind in ('SPEND', 'RESERVE', 'RELEASE', 'DEBT')
        or kind = 'REVOKE' and starts_with(key, 'revoke/') and not starts_with(key, 'revoke/' || of_source || '/' || of_key || '/'));
      spent := greatest(0, least(wanted - taken, spent));
      elsewhere := credit_remove(org, revoke_key, 'REVOKE', spent, at, why);
      removed := taken + elsewhere;
      owed := spent - elsewhere;
      update credit_grants set taken_back = taken_back + wanted, taken_elsewhere = taken_elsewhere + spent,
        revoked_at = case when taken_back + wanted = amount then at end
      where organization_id = org and id = made.id;
      update credit_balances set debt = debt + owed where organization_id = org;
    end $$;

    drop function credit_revoke;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop function credit_take_back;
    alter table credit_grants drop column taken_back, drop column taken_elsewhere;

    -- Undoes a grant, once: what is left of it goes; what was spent of it is taken from the others, or becomes a debt.
    -- Returns how many credits were removed and how many became a debt; null if there is nothing to revoke.
    create function credit_revoke(org bigint, of_source text, of_key text, at timestamptz, why text default null,
      out removed bigint, out owed bigint) language plpgsql security definer as $$
    declare
      made credit_grants;
      gone bigint;
      elsewhere bigint;
      revoke_key constant text := 'revoke/' || of_source || '/' || of_key;
    begin
      perform credit_lock(org, at);
      select * into made from credit_grants
      where organization_id = org and source = of_source and source_key = of_key and revoked_at is null;
      if not found then
        return;
      end if;
      update credit_grants set revoked_at = at where organization_id = org and id = made.id;
      -- Frozen credits thaw first, so that the entries of a grant add up to what is left of it.
      if made.frozen > 0 then
        perform credit_move(org, revoke_key, 'THAW', made.id, made.frozen, at, why);
      end if;
      if made.remaining + made.frozen > 0 then
        perform credit_move(org, revoke_key, 'REVOKE', made.id, -(made.remaining + made.frozen), at, why);
      end if;
      removed := made.remaining + made.frozen;
      select coalesce(-sum(amount), 0) into gone from credit_ledger
      where organization_id = org and grant_id = made.id and kind in ('SPEND', 'RESERVE', 'RELEASE');
      elsewhere := credit_remove(org, revoke_key, 'REVOKE', gone, at, why);
      removed := removed + elsewhere;
      owed := gone - elsewhere;
      update credit_balances set debt = debt + owed where organization_id = org;
    end $$;
  `);
}
