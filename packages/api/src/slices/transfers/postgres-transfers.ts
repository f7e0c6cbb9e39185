import type { Transfer, Transfers } from '@rentapi/payments/manual/provider';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';

const COLUMNS = `
  id, kind, reference, json_build_object('amountMinor', amount_minor, 'currency', currency) as amount,
  charge_id as "chargeId", status`;

/** As many as one charge can have: each is at least the smallest unit, and none is made by a stranger. */
const MAX_REFUNDS = 10_000;

const ADD: Statement = {
  text: `
    insert into transfers (id, kind, reference, currency, amount_minor, charge_id, status)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
};
const FIND: Statement = { text: `select ${COLUMNS} from transfers where id = $1` };
const REFUNDS: Statement = {
  text: `select ${COLUMNS} from transfers where charge_id = $1 order by id limit ${MAX_REFUNDS}`,
};
const SETTLE: Statement = { text: `update transfers set status = $2 where id = $1 and status = 'PENDING'` };

/** The transfers of the manual provider, in the database of everything else. */
export function createTransfers(db: Knex): Transfers {
  async function find(id: string): Promise<Transfer | null> {
    const [found] = await execute<Transfer>(db, FIND, [id]);
    return found ?? null;
  }
  async function findKept(id: string): Promise<Transfer> {
    const found = await find(id);
    if (!found) throw new Error(`there is no transfer ${id}`);
    return found;
  }
  return {
    async add({ id, kind, reference, amount, chargeId, status }) {
      await execute(db, ADD, [id, kind, reference, amount.currency, amount.amountMinor, chargeId, status]);
      return findKept(id);
    },
    find,
    refundsOf: (chargeId) => execute<Transfer>(db, REFUNDS, [chargeId]),
    async settle(id, status) {
      await execute(db, SETTLE, [id, status]);
      return findKept(id);
    },
  };
}
