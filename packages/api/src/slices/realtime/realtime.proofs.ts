import { unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'ws.stats': async ({ staff }) => ({ caller: unscoped(await staff('ADMIN')), input: undefined }),
  },
};
