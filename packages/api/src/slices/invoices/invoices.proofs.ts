import type { Fixture } from '../../../test/proofs/fixture.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { systemContext, within } from '../../context.ts';
import { draftInvoice } from './service/draft.ts';
import { finaliseInvoice } from './service/finalise.ts';

async function makeInvoice({ app, organizationId }: Fixture): Promise<string> {
  const ctx = within(systemContext(app.ports, 'proofs'), app.ports.ids.decode('org', organizationId));
  const lines = [{ kind: 'OTHER', description: 'Proven', amountMinor: 1900 }] as const;
  const { id } = await draftInvoice(ctx, { reason: 'OTHER', collection: 'MANUAL', currency: 'EUR', lines });
  await finaliseInvoice(ctx, id);
  return app.ports.ids.encode('inv', id);
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = { ownedIds: { inv: makeInvoice } };
