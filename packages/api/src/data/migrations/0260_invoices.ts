import type { Knex } from '@rentapi/platform/database';

/**
 * Invoices and credit notes. What is final stays as it was printed: triggers refuse every other change, and a sum that
 * does not add up. A document gets its number in the transaction that makes it final, so numbers have no gaps.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table invoice_series (
      series text primary key,
      last_number bigint not null                    -- locked until the document that took it is committed
    );

    create table invoices (
      id bigint generated always as identity,
      organization_id bigint not null references organizations (id),
      kind text not null check (kind in ('INVOICE', 'CREDIT_NOTE')),
      status text not null check (status in ('DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE')),
      reason text not null check (reason in ('PERIOD', 'CHANGE', 'USAGE', 'OTHER', 'CORRECTION')),
      collection text not null check (collection in ('AUTOMATIC', 'MANUAL')),
      subscription_id bigint,
      period_key text,                               -- of one subscription and reason, a period has one invoice
      corrects_id bigint,                            -- of a credit note: the invoice
      correction_key text,                           -- of one invoice, a key corrects once
      series text references invoice_series,
      number bigint,
      currency text not null,
      tax_treatment text check (tax_treatment in ('STANDARD', 'REVERSE_CHARGE', 'NONE')),
      subtotal_minor bigint not null default 0,
      tax_minor bigint not null default 0,
      total_minor bigint not null default 0,
      balance_minor bigint not null default 0,       -- what the customer's balance paid of it; below 0, what it got
      paid_minor bigint not null default 0 check (paid_minor >= 0),
      credited_minor bigint not null default 0 check (credited_minor >= 0),
      returned_minor bigint not null default 0 check (returned_minor between 0 and credited_minor), -- to the balance
      charged_back_minor bigint not null default 0 check (charged_back_minor >= 0),
      seller jsonb,
      buyer jsonb,
      note text,
      pdf_sha256 text,
      issued_at timestamptz,
      due_at timestamptz,
      paid_at timestamptz,
      voided_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (organization_id, id),
      constraint invoices_period_unique unique (organization_id, reason, subscription_id, period_key),
      constraint invoices_number_unique unique (series, number),
      constraint invoices_correction_unique unique (organization_id, corrects_id, correction_key),
      foreign key (organization_id, corrects_id) references invoices (organization_id, id),
      check ((kind = 'CREDIT_NOTE') = (corrects_id is not null and correction_key is not null)),
      check ((status = 'DRAFT') = (number is null)),
      check (status = 'DRAFT' or num_nulls(series, tax_treatment, seller, buyer, issued_at, due_at) = 0),
      check (kind = 'INVOICE' or status in ('DRAFT', 'PAID') and paid_minor + balance_minor + credited_minor = 0),
      check (kind = 'CREDIT_NOTE' or status <> 'PAID' or paid_minor + balance_minor + credited_minor - returned_minor = total_minor),
      check (status not in ('OPEN', 'UNCOLLECTIBLE') or paid_minor + balance_minor + credited_minor - returned_minor < total_minor)
    );
    create index invoices_status on invoices (organization_id, status, id);
    create index invoices_balance on invoices (organization_id) where balance_minor <> 0 or returned_minor <> 0;

    create table invoice_lines (
      id bigint generated always as identity,
      organization_id bigint not null,
      invoice_id bigint not null,
      place integer not null,
      kind text not null check (kind in ('PLAN', 'PRORATION', 'USAGE', 'DISCOUNT', 'CREDITS', 'OTHER')),
      description text not null,
      quantity bigint not null,
      unit_minor bigint,                             -- null where the amount is no multiple of it
      amount_minor bigint not null,
      period_start timestamptz,
      period_end timestamptz,
      tax_rate_ppm integer check (tax_rate_ppm between 0 and 1000000),
      tax_minor bigint not null default 0,
      corrects_line_id bigint,
      primary key (organization_id, id),
      constraint invoice_lines_place_unique unique (organization_id, invoice_id, place),
      foreign key (organization_id, invoice_id) references invoices (organization_id, id),
      foreign key (organization_id, corrects_line_id) references invoice_lines (organization_id, id)
    );
    create index invoice_lines_corrects on invoice_lines (organization_id, corrects_line_id);

    create function guard_invoice() returns trigger language plpgsql as $$
    declare
      changing constant text[] := array['status', 'paid_minor', 'credited_minor', 'returned_minor', 'charged_back_minor',
        'paid_at', 'voided_at', 'pdf_sha256', 'version', 'updated_at'];
      sums record;
    begin
      if tg_op = 'INSERT' then
        if new.status <> 'DRAFT' then
          raise exception 'an invoice begins as a draft';
        end if;
        return new;
      end if;
      if tg_op = 'DELETE' then
        if old.status <> 'DRAFT' then
          raise exception 'invoice %-% is final', old.series, old.number;
        end if;
        return old;
      end if;
      if old.status <> 'DRAFT' then
        if to_jsonb(new) - changing <> to_jsonb(old) - changing then
          raise exception 'invoice %-% is final', old.series, old.number;
        end if;
        if new.status <> old.status and not (old.status = 'OPEN' and new.status in ('PAID', 'VOID', 'UNCOLLECTIBLE')
          or old.status = 'UNCOLLECTIBLE' and new.status in ('PAID', 'VOID')) then
          raise exception 'an invoice does not become % after %', new.status, old.status;
        end if;
        return new;
      end if;
      if new.status = 'DRAFT' then
        return new;
      end if;
      select count(*) as lines, coalesce(sum(amount_minor), 0) as amount, coalesce(sum(tax_minor), 0) as tax,
             count(*) filter (where tax_rate_ppm is null) as untaxed
      into sums from invoice_lines where organization_id = new.organization_id and invoice_id = new.id;
      if sums.lines = 0 or sums.untaxed > 0 or sums.amount <> new.subtotal_minor or sums.tax <> new.tax_minor
        or new.subtotal_minor + new.tax_minor <> new.total_minor then
        raise exception 'the lines of invoice %-% do not add up to its total', new.series, new.number;
      end if;
      -- What a line was credited with, in all credit notes, is at most the line.
      if new.kind = 'CREDIT_NOTE' and exists (
        select from invoice_lines mine
        join invoice_lines line on line.organization_id = mine.organization_id and line.id = mine.corrects_line_id
        join invoice_lines credit on credit.organization_id = mine.organization_id and credit.corrects_line_id = line.id
        join invoices note on note.organization_id = credit.organization_id and note.id = credit.invoice_id
          and (note.status <> 'DRAFT' or note.id = new.id)
        where mine.organization_id = new.organization_id and mine.invoice_id = new.id
        group by line.id, line.amount_minor, line.tax_minor
        having abs(sum(credit.amount_minor)) > abs(line.amount_minor) or abs(sum(credit.tax_minor)) > abs(line.tax_minor)
      ) then
        raise exception 'credit note %-% corrects more than there is', new.series, new.number;
      end if;
      return new;
    end $$;
    create trigger guard before insert or update or delete on invoices for each row execute function guard_invoice();

    create function guard_invoice_line() returns trigger language plpgsql as $$
    declare
      line constant invoice_lines := case when tg_op = 'DELETE' then old else new end;
    begin
      if tg_op = 'UPDATE' and (old.organization_id, old.invoice_id) <> (new.organization_id, new.invoice_id) then
        raise exception 'a line stays in its invoice';
      end if;
      if (select status from invoices where organization_id = line.organization_id and id = line.invoice_id) <> 'DRAFT' then
        raise exception 'the lines of an invoice that is final do not change';
      end if;
      return line;
    end $$;
    create trigger guard before insert or update or delete on invoice_lines for each row execute function guard_invoice_line();

    create function refuse_invoice_truncate() returns trigger language plpgsql as $$
    begin
      raise exception '% is kept', tg_table_name;
    end $$;
    create trigger kept before truncate on invoices for each statement execute function refuse_invoice_truncate();
    create trigger kept before truncate on invoice_lines for each statement execute function refuse_invoice_truncate();
    create trigger kept before truncate on invoice_series for each statement execute function refuse_invoice_truncate();
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table invoice_lines, invoices, invoice_series;
    drop function guard_invoice, guard_invoice_line, refuse_invoice_truncate;
  `);
}
