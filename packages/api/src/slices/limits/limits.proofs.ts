import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const byStaff = async (fixture: Fixture, input: object): Promise<Scenario> => ({
  caller: unscoped(await fixture.staff('ADMIN')),
  input: { orgId: fixture.organizationId, ...input },
});

const inDays = ({ app }: Fixture, days: number): string =>
  new Date(app.ports.clock.now().getTime() + days * 86_400_000).toISOString();

/** An override of the fixture's organization that leaves its limits as wide as they are. */
const override = (fixture: Fixture, given: object = {}): Promise<Scenario> =>
  byStaff(fixture, { perHour: 50_000, reason: 'Proven', until: inDays(fixture, 1), ...given });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    async ovr(fixture) {
      const { caller, input } = await override(fixture);
      const { orgId, ...body } = input as { orgId: string };
      const path = `/api/v1/admin/organizations/${orgId}/limits`;
      return (await fixture.app.request(path, { method: 'PUT', headers: caller, body })).body.items[0].id;
    },
  },
  scenarios: {
    'admin.orgs.limits.get': (fixture) => byStaff(fixture, {}),
    'admin.orgs.limits.set': (fixture) => override(fixture),
  },
  failures: {
    'admin.orgs.limits.get': {
      not_found: (fixture) => byStaff(fixture, { orgId: fixture.app.ports.ids.encode('org', 2 ** 40) }),
    },
    'admin.orgs.limits.set': {
      not_found: (fixture) => override(fixture, { orgId: fixture.app.ports.ids.encode('org', 2 ** 40) }),
      override_in_past: (fixture) => override(fixture, { until: inDays(fixture, -1) }),
    },
  },
};
