import { randomUUID } from 'node:crypto';
import { usePayments } from '../../../test/payments.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const amount = { amountMinor: 10_00, currency: 'USD' };

/** A payment by transfer, which waits. */
async function payment({ app, organizationId }: Fixture, change: object = {}): Promise<string> {
  await usePayments(app);
  const at = app.ports.clock.now();
  const transfer = { id: `transfer_${randomUUID()}`, currency: 'USD', amountMinor: 10_00, status: 'PENDING' };
  await app.rows('transfers').insert({ ...transfer, kind: 'charge', reference: 'pay_proven' });
  const [{ id: subjectId }] = await app
    .rows('credit_purchases')
    .insert({
      organizationId: app.ports.ids.decode('org', organizationId),
      credits: 1000,
      currency: 'USD',
      amountMinor: 10_00,
      createdAt: at,
    })
    .returning('id');
  const [{ id }] = await app
    .rows('payments')
    .insert({
      organizationId: app.ports.ids.decode('org', organizationId),
      purpose: 'CREDITS',
      subjectId,
      provider: 'manual',
      status: 'PENDING',
      currency: 'USD',
      amountMinor: 10_00,
      description: '1,000 credits',
      returnUrl: 'http://127.0.0.1/',
      externalId: transfer.id,
      createdAt: at,
      updatedAt: at,
      ...change,
    })
    .returning('id');
  return app.ports.ids.encode('pay', id);
}

const confirming =
  (input: object = {}, of: object = {}): Failing =>
  async (fixture) => ({
    caller: unscoped(await fixture.staff('ADMIN')),
    input: {
      paymentId: await payment(fixture, of),
      reference: randomUUID(),
      receivedAt: '2026-01-31T12:00:00Z',
      amount,
      ...input,
    },
  });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: { 'admin.payments.confirm': confirming() },
  failures: {
    'admin.payments.confirm': {
      payment_not_by_transfer: confirming({}, { provider: 'stripe' }),
      transfer_not_open: confirming({}, { externalId: null }),
      transfer_amount_differs: confirming({ amount: { amountMinor: 9_99, currency: 'USD' } }),
      transfer_in_future: confirming({ receivedAt: '2999-01-31T12:00:00Z' }),
      transfer_counted: async (fixture) => {
        const reference = randomUUID();
        const other = { kind: 'charge', reference: 'pay_other', currency: 'USD', amountMinor: 1, status: 'SUCCEEDED' };
        const counted = { ...other, id: `transfer_${reference}`, bankReference: reference };
        await fixture.app.rows('transfers').insert(counted);
        return confirming({ reference })(fixture);
      },
    },
  },
};
