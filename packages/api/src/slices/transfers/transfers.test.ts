import type { Transfer } from '@rentapi/payments/manual/provider';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeProvider } from '../../../../payments/test/contract.ts';
import { startManual } from '../../../../payments/test/harnesses.ts';
import { startApp, type TestApp } from '../../../test/app.ts';
import { createTransfers } from './postgres-transfers.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

/** Of this run of a case: cases give their charges the same keys. */
async function start() {
  await app.rows.raw('truncate transfers');
  const transfers = createTransfers(app.ports.database);
  const all = async (): Promise<Transfer[]> => {
    const { rows } = await app.rows.raw<{ rows: { id: string }[] }>('select id from transfers');
    const found = await Promise.all(rows.map(({ id }) => transfers.find(id)));
    return found.filter((transfer) => transfer !== null);
  };
  return startManual({ ...transfers, all });
}

describeProvider('manual, kept in PostgreSQL', start);

it('is set up on every server: it needs no keys', () => {
  expect(app.ports.payments.get('manual')?.name).toBe('manual');
});

it('settles a transfer once, whichever of two comes first', async () => {
  const { provider, settle } = await start();
  const amount = { amountMinor: 100, currency: 'EUR' };
  const charge = { key: 'pay_x/1', reference: 'pay_x', amount, description: 'x', customerId: null, methodId: null };
  const { id } = await provider.createCharge({ ...charge, returnUrl: 'http://127.0.0.1/' });
  await Promise.all([settle(id), provider.cancelCharge(id)]);
  const { status } = await provider.getCharge(id);
  await settle(id, status === 'SUCCEEDED' ? 'fails' : 'succeeds');
  expect((await provider.getCharge(id)).status).toBe(status);
});
