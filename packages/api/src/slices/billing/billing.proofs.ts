import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner, unscoped } from '../../../test/proofs/scenes.ts';
import type { Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const address = { line1: 'Hauptstraße 1', city: 'Berlin', country: 'DE' };

/** Another one each time: what is the same changes nothing. */
const set = async (fixture: Fixture, change: object = {}): Promise<Scenario> =>
  byOwner(fixture, { name: `Acme ${randomUUID()}`, address, taxId: 'DE123456789', ...change });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'billing.info.set': (fixture) => set(fixture),
    'admin.billing.findings': async (fixture) => {
      await fixture.app.rows.raw(
        `insert into billing_findings (kind, provider, object_kind, external_id, found_at, seen_at)
         values ('UNKNOWN_OBJECT', 'stripe', 'payment_intent', ?, now(), now())`,
        [randomUUID()],
      );
      return { caller: unscoped(await fixture.staff('ADMIN')), input: {} };
    },
  },
  failures: {
    'billing.info.set': {
      tax_id_invalid: (fixture) => set(fixture, { taxId: 'DE12345678' }),
      tax_id_needs_country: (fixture) => set(fixture, { address: null }),
    },
  },
};
