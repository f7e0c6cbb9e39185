import { randomUUID } from 'node:crypto';
import { useNoPayments, usePayments } from '../../../test/payments.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { systemContext, within } from '../../context.ts';
import { draftInvoice } from './service/draft.ts';
import { finaliseInvoice } from './service/finalise.ts';

interface Wanted {
  amountMinor?: number;
  currency?: string;
  isDraft?: boolean;
}

async function addInvoice(
  { app }: Fixture,
  organizationId: string,
  { amountMinor = 1900, currency = 'USD', isDraft = false }: Wanted = {},
): Promise<number> {
  // Without providers there is no least amount that could be charged.
  const ports = { ...app.ports, payments: new Map() };
  const ctx = within(systemContext(ports, 'proofs'), app.ports.ids.decode('org', organizationId));
  const lines = [{ kind: 'OTHER', description: 'Proven', amountMinor }] as const;
  const { id } = await draftInvoice(ctx, { reason: 'OTHER', collection: 'MANUAL', currency, lines });
  if (!isDraft) await finaliseInvoice(ctx, id);
  return id;
}

/** In an organization of its own, which has no currency yet. */
const paying =
  (wanted: Wanted = {}, change: object = {}): Failing =>
  async (fixture) => {
    const { app, owner, bearer } = fixture;
    await usePayments(app);
    const { body } = await owner.request('/api/v1/organizations', { method: 'POST', body: { name: 'Billed' } });
    const id = await addInvoice(fixture, body.id, wanted);
    const returnUrl = `${app.ports.env.PUBLIC_URL}/back?${randomUUID()}`;
    return {
      caller: { ...bearer(owner), 'x-organization-id': body.id },
      input: { invoiceId: app.ports.ids.encode('inv', id), provider: 'stripe', returnUrl, ...change },
    };
  };

const makeInvoice = async (fixture: Fixture): Promise<string> =>
  fixture.app.ports.ids.encode('inv', await addInvoice(fixture, fixture.organizationId));

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: { inv: makeInvoice },
  scenarios: {
    'billing.invoices.pay': async (fixture) => {
      await usePayments(fixture.app);
      const returnUrl = `${fixture.app.ports.env.PUBLIC_URL}/back`;
      return byOwner(fixture, { invoiceId: await makeInvoice(fixture), provider: 'stripe', returnUrl });
    },
  },
  failures: {
    'billing.invoices.pay': {
      invoice_is_draft: paying({ isDraft: true }),
      invoice_not_due: paying({ amountMinor: 0 }),
      async payment_in_progress(fixture) {
        const scene = await paying()(fixture);
        const { database, ids, clock } = fixture.app.ports;
        const input = scene.input as { invoiceId: string };
        const at = clock.now();
        await database('payments').insert({
          organizationId: ids.decode('org', scene.caller['x-organization-id']!),
          purpose: 'INVOICE',
          subjectId: ids.decode('inv', input.invoiceId),
          provider: 'stripe',
          status: 'PENDING',
          currency: 'USD',
          amountMinor: 1900,
          description: 'Proven',
          returnUrl: 'http://127.0.0.1/',
          createdAt: at,
          updatedAt: at,
        });
        return scene;
      },
      currency_not_supported: paying({ currency: 'KWD', amountMinor: 100_000 }, { provider: 'paypal' }),
      amount_below_minimum: paying({ amountMinor: 10 }),
      return_url_not_allowed: paying({}, { returnUrl: 'https://elsewhere.example/' }),
      async payment_provider_not_set_up(fixture) {
        const scene = await paying()(fixture);
        useNoPayments(fixture.app);
        return scene;
      },
    },
  },
};
