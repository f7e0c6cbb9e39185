import type { Knex } from '@rentapi/platform/database';

/** Bank transfers: what another provider would know of its charges and refunds. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table transfers (
      id text primary key,
      kind text not null check (kind in ('charge', 'refund')),
      reference text not null,                -- the public id of the payment or refund
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      charge_id text references transfers (id),
      status text not null check (status in ('PENDING', 'SUCCEEDED', 'CANCELED')),
      bank_reference text,                    -- what the bank calls it, once it was seen there
      received_at timestamptz,
      check ((kind = 'refund') = (charge_id is not null))
    );
    create index transfers_charge on transfers (charge_id) where charge_id is not null;
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table transfers');
}
