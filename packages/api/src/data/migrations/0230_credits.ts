import type { Knex } from '@rentapi/platform/database';

/**
 * Credits of organizations: an append-only ledger, and what follows from it. The role that serves may only read the
 * tables; all that changes them are these functions, each behind the lock of the organization's balance. They expect
 * READ COMMITTED, because they read again what they waited for.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table credit_balances (
      organization_id bigint primary key,
      available bigint not null default 0 check (available >= 0),
      held bigint not null default 0 check (held >= 0),
      debt bigint not null default 0 check (debt >= 0),   -- spent of grants that were revoked, and not yet made good
      last_entry bigint not null default 0,
      next_expiry_at timestamptz not null default 'infinity',
      -- The grant that is being spent, and what is left of it: the usual spend changes this row alone.
      head_id bigint,
      head_left bigint not null default 0 check (head_left >= 0),
      low_below bigint not null default 0,                -- a tenth of the balance after the last grant
      notice text check (notice in ('LOW', 'EXHAUSTED'))  -- not announced yet
    ) with (fillfactor = 50);
    create index credit_balances_notice on credit_balances (organization_id) where notice is not null;
    create index credit_balances_expiry on credit_balances (next_expiry_at) where next_expiry_at < 'infinity';

    create table credit_grants (
      organization_id bigint not null,
      id bigint generated always as identity,
      source text not null,
      source_key text not null,                           -- of one source, a key grants once
      amount bigint not null check (amount > 0),
      remaining bigint not null check (remaining between 0 and amount),
      frozen bigint not null default 0 check (frozen between 0 and amount),
      priority integer not null,                          -- the lowest is spent first, then what expires first
      expires_at timestamptz not null,                    -- infinity: never
      created_at timestamptz not null,
      revoked_at timestamptz,
      primary key (organization_id, id),
      constraint credit_grants_source_unique unique (organization_id, source, source_key)
    ) with (fillfactor = 70);
    create index credit_grants_open on credit_grants (organization_id, priority, expires_at, id) where remaining > 0;

    -- No foreign key to grants: it would lock a row for each entry. credit_faults() compares them.
    create table credit_ledger (
      organization_id bigint not null,
      id bigint not null,                                 -- counts the entries of the organization, without gaps
      kind text not null check (kind in ('GRANT', 'SPEND', 'RESERVE', 'RELEASE', 'EXPIRE', 'REVOKE', 'FREEZE', 'THAW', 'DEBT')),
      grant_id bigint not null,
      amount bigint not null check (amount <> 0 and (amount > 0) = (kind in ('GRANT', 'RELEASE', 'THAW'))),
      available_after bigint not null check (available_after >= 0),
      key text not null,
      reason text,
      created_at timestamptz not null,
      primary key (organization_id, id)
    );
    create unique index credit_ledger_once on credit_ledger (organization_id, key, kind, grant_id);
    create index credit_ledger_grant on credit_ledger (organization_id, grant_id);

    create function refuse_credit_rewrite() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name;
    end $$;
    create trigger append_only before update or delete on credit_ledger for each row execute function refuse_credit_rewrite();
    create trigger append_only_whole before truncate on credit_ledger for each statement execute function refuse_credit_rewrite();

    -- Credits that are reserved for work, until it is known how many it used.
    create table credit_holds (
      organization_id bigint not null,
      key text not null,
      amount bigint not null check (amount > 0),
      used bigint check (used between 0 and amount),      -- null until it is settled
      expires_at timestamptz not null,
      primary key (organization_id, key)
    );
    create index credit_holds_open on credit_holds (expires_at) where used is null;

    -- Moves a grant and the balance, and writes the entry. The caller holds the lock of credit_lock.
    create function credit_move(org bigint, entry_key text, entry_kind text, grant_of bigint, change bigint, at timestamptz,
      why text default null) returns void language plpgsql as $$
    begin
      if entry_kind <> 'GRANT' then
        update credit_grants set remaining = remaining + change,
          frozen = frozen - case when entry_kind in ('FREEZE', 'THAW') then change else 0 end
        where organization_id = org and id = grant_of;
      end if;
      with moved as (
        update credit_balances set available = available + change, last_entry = last_entry + 1,
          held = held - case when entry_kind in ('RESERVE', 'RELEASE') then change else 0 end
        where organization_id = org returning available, last_entry
      )
      insert into credit_ledger select org, last_entry, entry_kind, grant_of, change, available, entry_key, why, at from moved;
    end $$;

    -- Locks the balance, puts what is left of the grant that is being spent back into it, and expires what is due.
    create function credit_lock(org bigint, at timestamptz) returns credit_balances language plpgsql as $$
    declare
      balance credit_balances;
      due record;
    begin
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'credits change in transactions of READ COMMITTED only';
      end if;
      select * into balance from credit_balances where organization_id = org for update;
      if not found then
        return null;
      end if;
      if balance.head_id is not null then
        update credit_grants set remaining = balance.head_left where organization_id = org and id = balance.head_id;
        update credit_balances set head_id = null, head_left = 0 where organization_id = org;
      end if;
      if balance.next_expiry_at <= at then
        for due in
          select id, remaining from credit_grants
          where organization_id = org and remaining > 0 and expires_at <= at order by expires_at, id
        loop
          perform credit_move(org, 'expiry/' || (select last_entry from credit_balances where organization_id = org), 'EXPIRE', due.id, -due.remaining, at);
        end loop;
        update credit_balances set next_expiry_at = coalesce(
          (select min(expires_at) from credit_grants where organization_id = org and remaining > 0), 'infinity')
        where organization_id = org;
      end if;
      select * into balance from credit_balances where organization_id = org;
      return balance;
    end $$;

    -- Takes n credits, or as many as there are, of the open grants. Returns how many.
    create function credit_remove(org bigint, entry_key text, entry_kind text, n bigint, at timestamptz, why text default null)
      returns bigint language plpgsql as $$
    declare
      left_over bigint := n;
      part bigint;
      open record;
    begin
      for open in
        select id, remaining from credit_grants where organization_id = org and remaining > 0 order by priority, expires_at, id
      loop
        exit when left_over = 0;
        part := least(left_over, open.remaining);
        left_over := left_over - part;
        perform credit_move(org, entry_key, entry_kind, open.id, -part, at, why);
      end loop;
      return n - left_over;
    end $$;

    -- After credits were added: a debt is made good first.
    create function credit_added(org bigint, entry_key text, at timestamptz) returns void language plpgsql as $$
    declare
      owed bigint := (select debt from credit_balances where organization_id = org);
      paid bigint;
    begin
      if owed > 0 then
        paid := credit_remove(org, 'debt/' || entry_key, 'DEBT', owed, at);
        update credit_balances set debt = debt - paid where organization_id = org;
      end if;
    end $$;

    -- Grants once for each source and key. Returns the id of the grant; null if it was granted before.
    create function credit_grant(org bigint, of_source text, of_key text, n bigint, in_order integer, until timestamptz, at timestamptz,
      why text default null) returns bigint language plpgsql security definer as $$
    declare
      made bigint;
    begin
      insert into credit_balances (organization_id) values (org) on conflict do nothing;
      perform credit_lock(org, at);
      insert into credit_grants (organization_id, source, source_key, amount, remaining, priority, expires_at, created_at)
      values (org, of_source, of_key, n, n, in_order, until, at)
      on conflict (organization_id, source, source_key) do nothing returning id into made;
      if made is null then
        return null;
      end if;
      perform credit_move(org, of_source || '/' || of_key, 'GRANT', made, n, at, why);
      update credit_balances set next_expiry_at = least(next_expiry_at, until) where organization_id = org;
      perform credit_added(org, of_source || '/' || of_key, at);
      perform credit_lock(org, at); -- a grant that has expired is expired at once
      update credit_balances set low_below = available / 10, notice = null where organization_id = org;
      return made;
    end $$;

    -- Spends or reserves ns[i] under ks[i], for each i. Returns the balance after each; -1 where it has too little.
    -- A key that was used before is answered as then, and changes nothing.
    create function credit_take(org bigint, ks text[], ns bigint[], entry_kind text, at timestamptz) returns bigint[]
      language plpgsql security definer as $$
    declare
      balance credit_balances;
      wanted bigint;
      part bigint;
      earlier bigint;
      some_earlier boolean;
      answers bigint[] := '{}';
      entries credit_ledger[] := '{}';
      reserved bigint := 0;
      before bigint;
    begin
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'credits change in transactions of READ COMMITTED only';
      end if;
      select * into balance from credit_balances where organization_id = org for update;
      if not found then
        return array_fill(-1::bigint, array[cardinality(ks)]);
      end if;
      if balance.next_expiry_at <= at then
        balance := credit_lock(org, at);
      end if;
      before := balance.available;
      some_earlier := exists (select from credit_ledger where organization_id = org and key = any (ks) and kind = entry_kind);
      for i in 1 .. cardinality(ks) loop
        if some_earlier then
          select min(available_after) into earlier from credit_ledger where organization_id = org and key = ks[i] and kind = entry_kind;
          if earlier is not null then
            answers := answers || earlier;
            continue;
          end if;
        end if;
        if balance.available < ns[i] then
          answers := answers || -1::bigint;
          continue;
        end if;
        wanted := ns[i];
        while wanted > 0 loop
          if balance.head_left = 0 then
            if balance.head_id is not null then
              update credit_grants set remaining = 0 where organization_id = org and id = balance.head_id;
            end if;
            select id, remaining into strict balance.head_id, balance.head_left from credit_grants
            where organization_id = org and remaining > 0 order by priority, expires_at, id limit 1;
          end if;
          part := least(wanted, balance.head_left);
          wanted := wanted - part;
          balance.head_left := balance.head_left - part;
          balance.available := balance.available - part;
          balance.last_entry := balance.last_entry + 1;
          entries := entries || row(org, balance.last_entry, entry_kind, balance.head_id, -part, balance.available, ks[i], null, at)::credit_ledger;
        end loop;
        if entry_kind = 'RESERVE' then
          reserved := reserved + ns[i];
        end if;
        answers := answers || balance.available;
      end loop;
      if cardinality(entries) > 0 then
        insert into credit_ledger select * from unnest(entries);
        update credit_balances set available = balance.available, held = held + reserved, last_entry = balance.last_entry,
          head_id = balance.head_id, head_left = balance.head_left,
          notice = case when balance.available = 0 then 'EXHAUSTED'
                        when before > low_below and balance.available <= low_below then 'LOW' else notice end
        where organization_id = org;
      end if;
      return answers;
    end $$;

    -- Reserves, until it is settled or the hold expires. Returns the balance; -1 where it has too little.
    create function credit_reserve(org bigint, hold_key text, n bigint, until timestamptz, at timestamptz) returns bigint
      language plpgsql security definer as $$
    declare
      after bigint := (credit_take(org, array[hold_key], array[n], 'RESERVE', at))[1];
    begin
      if after >= 0 then
        insert into credit_holds (organization_id, key, amount, expires_at) values (org, hold_key, n, until) on conflict do nothing;
      end if;
      return after;
    end $$;

    -- What was used stays spent; the rest returns to its grants, the longest-lived first.
    -- False if it was settled before.
    create function credit_settle(org bigint, hold_key text, n bigint, at timestamptz) returns boolean
      language plpgsql security definer as $$
    declare
      hold credit_holds;
      rest bigint;
      part bigint;
      taken record;
    begin
      perform credit_lock(org, at);
      update credit_holds set used = least(n, amount) where organization_id = org and key = hold_key and used is null
      returning * into hold;
      if not found then
        return false;
      end if;
      rest := hold.amount - hold.used;
      update credit_balances set held = held - hold.used where organization_id = org;
      for taken in
        select entry.grant_id, -entry.amount as amount, made.expires_at
        from credit_ledger entry
        join credit_grants made on made.organization_id = entry.organization_id and made.id = entry.grant_id
        where entry.organization_id = org and entry.key = hold_key and entry.kind = 'RESERVE'
        order by made.expires_at desc, made.priority desc, made.id desc
      loop
        exit when rest = 0;
        part := least(rest, taken.amount);
        rest := rest - part;
        perform credit_move(org, hold_key, 'RELEASE', taken.grant_id, part, at);
        update credit_balances set next_expiry_at = least(next_expiry_at, taken.expires_at) where organization_id = org;
      end loop;
      perform credit_added(org, hold_key, at);
      perform credit_lock(org, at); -- what returned to a grant that has expired
      return true;
    end $$;

    -- Gives back what was spent under the key, because it had no effect.
    -- False if it was given back before, or never spent.
    create function credit_refund(org bigint, spend_key text, at timestamptz) returns boolean
      language plpgsql security definer as $$
    declare
      spent record;
      given_back boolean := false;
    begin
      perform credit_lock(org, at);
      if exists (select from credit_ledger where organization_id = org and key = spend_key and kind = 'RELEASE') then
        return false;
      end if;
      for spent in
        select entry.grant_id, -entry.amount as amount, made.expires_at
        from credit_ledger entry
        join credit_grants made on made.organization_id = entry.organization_id and made.id = entry.grant_id
        where entry.organization_id = org and entry.key = spend_key and entry.kind = 'SPEND' order by entry.id
      loop
        given_back := true;
        update credit_balances set held = held + spent.amount, next_expiry_at = least(next_expiry_at, spent.expires_at)
        where organization_id = org;
        perform credit_move(org, spend_key, 'RELEASE', spent.grant_id, spent.amount, at);
      end loop;
      if given_back then
        perform credit_added(org, spend_key, at);
        perform credit_lock(org, at);
      end if;
      return given_back;
    end $$;

    -- Removes n credits, or as many as there are, once for the key. Returns how many.
    create function credit_deduct(org bigint, entry_key text, n bigint, at timestamptz, why text) returns bigint
      language plpgsql security definer as $$
    declare
      earlier bigint;
    begin
      perform credit_lock(org, at);
      select -sum(amount) into earlier from credit_ledger where organization_id = org and key = entry_key and kind = 'REVOKE';
      return coalesce(earlier, credit_remove(org, entry_key, 'REVOKE', n, at, why));
    end $$;

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

    -- While a payment is disputed, what is left of its grant cannot be spent. Returns how many credits.
    create function credit_freeze(org bigint, of_source text, of_key text, at timestamptz) returns bigint
      language plpgsql security definer as $$
    declare
      made credit_grants;
    begin
      perform credit_lock(org, at);
      select * into made from credit_grants
      where organization_id = org and source = of_source and source_key = of_key and revoked_at is null and remaining > 0;
      if not found then
        return 0;
      end if;
      perform credit_move(org, 'freeze/' || of_source || '/' || of_key || '/' || (select last_entry from credit_balances where organization_id = org),
        'FREEZE', made.id, -made.remaining, at);
      return made.remaining;
    end $$;

    create function credit_thaw(org bigint, of_source text, of_key text, at timestamptz) returns bigint
      language plpgsql security definer as $$
    declare
      made credit_grants;
      thaw_key text;
    begin
      perform credit_lock(org, at);
      select * into made from credit_grants where organization_id = org and source = of_source and source_key = of_key and frozen > 0;
      if not found then
        return 0;
      end if;
      thaw_key := 'thaw/' || of_source || '/' || of_key || '/' || (select last_entry from credit_balances where organization_id = org);
      perform credit_move(org, thaw_key, 'THAW', made.id, made.frozen, at);
      update credit_balances set next_expiry_at = least(next_expiry_at, made.expires_at) where organization_id = org;
      perform credit_added(org, thaw_key, at);
      perform credit_lock(org, at);
      return made.frozen;
    end $$;

    -- Expires what is due; also done by whatever changes the balance. Returns how many credits.
    create function credit_expire(org bigint, at timestamptz) returns bigint language plpgsql security definer as $$
    declare
      before bigint := (select available from credit_balances where organization_id = org for update);
    begin
      return before - (credit_lock(org, at)).available;
    end $$;

    -- Takes the notice that credits run out, to announce it. Null if there is none.
    create function credit_notice(org bigint) returns text language plpgsql security definer as $$
    declare
      found_notice text := (select notice from credit_balances where organization_id = org for update);
    begin
      update credit_balances set notice = null where organization_id = org and notice is not null;
      return found_notice;
    end $$;

    -- What does not add up of these organizations, by kind: all zeros, or something is wrong.
    create function credit_faults(orgs bigint[], out balances bigint, out chain bigint, out grants bigint, out holds bigint, out debts bigint)
      language sql stable as $$
      with entries as (
        select organization_id, grant_id, kind, amount, id, id - lag(id, 1, 0::bigint) over chain as step,
               available_after - amount - lag(available_after, 1, 0::bigint) over chain as jump
        from credit_ledger where organization_id = any (orgs) window chain as (partition by organization_id order by id)
      ), sums as (
        select organization_id, sum(amount) as total, max(id) as top from entries group by 1
      ), of_grants as (
        select organization_id, grant_id, sum(amount) as remaining, sum(amount) filter (where kind = 'GRANT') as granted,
               -coalesce(sum(amount) filter (where kind in ('FREEZE', 'THAW')), 0) as frozen
        from entries group by 1, 2
      ), held as (
        select organization_id, sum(amount) as credits from credit_holds
        where organization_id = any (orgs) and used is null group by 1
      ), balance as (
        select * from credit_balances where organization_id = any (orgs)
      )
      select
        (select count(*) from balance left join sums using (organization_id)
         where balance.available <> coalesce(sums.total, 0) or balance.last_entry <> coalesce(sums.top, 0)),
        (select count(*) from entries where jump <> 0 or step <> 1),
        (select count(*) from credit_grants made
         left join of_grants on of_grants.organization_id = made.organization_id and of_grants.grant_id = made.id
         left join balance on balance.organization_id = made.organization_id and balance.head_id = made.id
         where made.organization_id = any (orgs)
           and (of_grants.grant_id is null or made.amount <> of_grants.granted or made.frozen <> of_grants.frozen
             or coalesce(balance.head_left, made.remaining) <> of_grants.remaining)),
        (select count(*) from balance left join held using (organization_id) where balance.held <> coalesce(held.credits, 0)),
        (select count(*) from balance where debt > 0 and available > 0)
    $$;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop function credit_faults, credit_notice, credit_expire, credit_thaw, credit_freeze, credit_revoke, credit_deduct, credit_refund, credit_settle,
      credit_reserve, credit_take, credit_grant, credit_added, credit_remove, credit_lock, credit_move;
    drop table credit_holds, credit_ledger, credit_grants, credit_balances;
    drop function refuse_credit_rewrite;
  `);
}
