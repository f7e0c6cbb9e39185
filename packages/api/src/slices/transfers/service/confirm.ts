import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';

export interface SeenTransfer {
  id: string;
  /** What the bank calls it. */
  bankReference: string;
  receivedAt: Date;
}

const SETTLE: Statement = {
  text: `
    update transfers set status = 'SUCCEEDED', bank_reference = $2, received_at = $3
    where id = $1 and status = 'PENDING' returning id`,
};
const KNOWN: Statement = {
  text: `select 1 from transfers where id = $1 and status = 'SUCCEEDED' and bank_reference = $2`,
};

/** That staff have seen it on the account. False where they have said so before. */
export async function confirmTransfer(
  { db }: Context,
  { id, bankReference, receivedAt }: SeenTransfer,
): Promise<boolean> {
  const settled = await execute(db, SETTLE, [id, bankReference, receivedAt]);
  if (settled.length > 0) return true;
  const known = await execute(db, KNOWN, [id, bankReference]);
  if (known.length === 0) throw new ApiError('transfer_not_open');
  return false;
}
