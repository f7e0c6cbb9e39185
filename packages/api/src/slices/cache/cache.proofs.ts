import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const byStaff =
  (role: 'ADMIN' | 'SUPER_ADMIN', input: object = {}): Failing =>
  async ({ staff }) => ({ caller: unscoped(await staff(role)), input });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'cache.status': async ({ staff }) => ({ caller: unscoped(await staff('ADMIN')), input: undefined }),
    'cache.clear': byStaff('SUPER_ADMIN', { namespace: 'meters' }),
    'cache.delete': byStaff('ADMIN', { key: 'meters:org_00000000000000000000000000' }),
  },
  failures: {
    'cache.delete': { unknown_cache_namespace: byStaff('ADMIN', { key: 'limits:all' }) },
  },
};
