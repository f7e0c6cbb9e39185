import type { Knex } from '@rentapi/platform/database';

/** One spend, in the usual case by one update of the balance, in place of a lock and an update. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Spends n under the key. Returns the balance; -1 where it has too little. A key that was used before is answered as then.
    create function credit_spend(org bigint, of_key text, n bigint, at timestamptz) returns bigint
      language plpgsql security definer as $$
    declare
      balance credit_balances;
    begin
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'credits change in transactions of READ COMMITTED only';
      end if;
      -- The grant that is being spent pays for it, nothing has expired, and there is nothing to announce.
      update credit_balances set available = available - n, last_entry = last_entry + 1, head_left = head_left - n
      where organization_id = org and n > 0 and head_left >= n and available - n > low_below and next_expiry_at > at
      returning * into balance;
      if found then
        if not exists (select from credit_ledger where organization_id = org and key = of_key and kind = 'SPEND') then
          insert into credit_ledger (organization_id, id, kind, grant_id, amount, available_after, key, created_at)
          values (org, balance.last_entry, 'SPEND', balance.head_id, -n, balance.available, of_key, at);
          return balance.available;
        end if;
        -- Whether the key was used is known only behind the lock.
        update credit_balances set available = available + n, last_entry = last_entry - 1, head_left = head_left + n
        where organization_id = org;
      end if;
      return (credit_take(org, array[of_key], array[n], 'SPEND', at))[1];
    end $$;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop function credit_spend');
}
