import type { Knex } from '@rentapi/platform/database';

/**
 * The money of organizations, by double entry. The role that serves reads it and adds entries by `journal_post`; what
 * is written stays. That each entry balances is checked at the commit.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table journal_entries (
      organization_id bigint not null,
      id bigint generated always as identity,
      kind text not null,
      source_kind text not null,
      source_id bigint not null,              -- the row that it is about
      at timestamptz not null,
      primary key (organization_id, id),
      constraint journal_entries_source_unique unique (source_kind, source_id, kind)
    );

    create table journal_lines (
      organization_id bigint not null,
      entry_id bigint not null,
      number integer not null,
      account text not null check (account in ('receivable', 'customer_balance', 'cash_stripe', 'cash_paypal', 'cash_manual',
        'revenue', 'tax', 'fees', 'refunds', 'disputes', 'credit_debt')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor <> 0), -- a debit is above zero, a credit below
      primary key (organization_id, entry_id, number),
      foreign key (organization_id, entry_id) references journal_entries (organization_id, id)
    );

    create function refuse_journal_rewrite() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name;
    end $$;
    create trigger append_only before update or delete on journal_entries for each row execute function refuse_journal_rewrite();
    create trigger append_only before update or delete on journal_lines for each row execute function refuse_journal_rewrite();
    create trigger append_only_whole before truncate on journal_entries for each statement execute function refuse_journal_rewrite();
    create trigger append_only_whole before truncate on journal_lines for each statement execute function refuse_journal_rewrite();

    -- At the commit, when all lines are there.
    create function check_journal_lines() returns trigger language plpgsql security definer as $$
    begin
      if exists (
        select from journal_lines where organization_id = new.organization_id and entry_id = new.entry_id
        group by currency having sum(amount_minor) <> 0
      ) then
        raise exception 'journal entry % does not balance', new.entry_id using errcode = 'check_violation';
      end if;
      return null;
    end $$;
    create constraint trigger balances after insert on journal_lines deferrable initially deferred
      for each row execute function check_journal_lines();

    create function check_journal_entry() returns trigger language plpgsql security definer as $$
    begin
      if not exists (select from journal_lines where organization_id = new.organization_id and entry_id = new.id) then
        raise exception 'journal entry % has no lines', new.id using errcode = 'check_violation';
      end if;
      return null;
    end $$;
    create constraint trigger has_lines after insert on journal_entries deferrable initially deferred
      for each row execute function check_journal_entry();

    -- Posts once for each source and kind. Returns whether it was posted now.
    create function journal_post(org bigint, entry_kind text, of_kind text, of_id bigint, posted_at timestamptz,
      accounts text[], currencies text[], amounts bigint[]) returns boolean language plpgsql security definer as $$
    declare
      made bigint;
    begin
      insert into journal_entries (organization_id, kind, source_kind, source_id, at)
      values (org, entry_kind, of_kind, of_id, posted_at)
      on conflict (source_kind, source_id, kind) do nothing returning id into made;
      if made is null then
        return false;
      end if;
      insert into journal_lines (organization_id, entry_id, number, account, currency, amount_minor)
      select org, made, number, account, currency, amount
      from unnest(accounts, currencies, amounts) with ordinality line (account, currency, amount, number);
      return true;
    end $$;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop function journal_post;
    drop table journal_lines, journal_entries;
    drop function check_journal_lines, check_journal_entry, refuse_journal_rewrite;
  `);
}
