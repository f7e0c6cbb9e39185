import { unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'admin.billing.books': async (fixture) => ({ caller: unscoped(await fixture.staff('ADMIN')), input: undefined }),
  },
};
