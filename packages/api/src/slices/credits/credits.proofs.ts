import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** Of the owner, whose personal organization need not be the fixture's. */
async function adjustment(fixture: Fixture, input: object): Promise<Scenario> {
  const { body } = await fixture.owner.request('/api/v1/users/me');
  const caller = unscoped(await fixture.staff('ADMIN'));
  return { caller, input: { userId: body.id, credits: 1, reason: 'Proven', ...input } };
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    async crd({ app, organizationId }) {
      const { rows } = await app.rows.raw("select credit_grant(?, 'ADJUSTMENT', ?, 1, 0, 'infinity', now()) as id", [
        app.ports.ids.decode('org', organizationId),
        randomUUID(),
      ]);
      return app.ports.ids.encode('crd', rows[0].id);
    },
  },
  scenarios: { 'admin.users.credits': (fixture) => adjustment(fixture, {}) },
  failures: {
    'admin.users.credits': {
      not_found: (fixture) => adjustment(fixture, { userId: fixture.app.ports.ids.encode('usr', 2 ** 40) }),
      credits_exceed_balance: (fixture) => adjustment(fixture, { credits: -1_000_000_000 }),
      credits_expire_in_past: (fixture) => adjustment(fixture, { expiresAt: '2026-01-31T12:00:00Z' }),
    },
  },
};
