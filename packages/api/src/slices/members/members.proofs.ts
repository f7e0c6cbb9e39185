import { atHome, here } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'orgs.leave': async (fixture) => ({
      caller: fixture.inOrganization('MEMBER'),
      input: { orgId: fixture.organizationId },
    }),
  },
  failures: {
    'orgs.leave': {
      last_owner: async (fixture) => here(fixture, {}),
      personal_organization: async (fixture) => atHome(fixture),
    },
    'orgs.transfer': {
      personal_organization: async (fixture) => atHome(fixture, { userId: fixture.owner.id }),
    },
    'orgs.members.setRole': {
      permission_not_held: async (fixture) => ({
        ...here(fixture, { userId: fixture.members.VIEWER.id, role: 'OWNER' }),
        caller: fixture.inOrganization('ADMIN'),
      }),
      target_has_more_permissions: async (fixture) => ({
        ...here(fixture, { userId: fixture.owner.id, role: 'VIEWER' }),
        caller: fixture.inOrganization('ADMIN'),
      }),
      last_owner: async (fixture) => here(fixture, { userId: fixture.owner.id, role: 'VIEWER' }),
      personal_organization: async (fixture) => atHome(fixture, { userId: fixture.owner.id, role: 'VIEWER' }),
    },
    'orgs.members.remove': {
      target_has_more_permissions: async (fixture) => ({
        ...here(fixture, { userId: fixture.owner.id }),
        caller: fixture.inOrganization('ADMIN'),
      }),
      last_owner: async (fixture) => here(fixture, { userId: fixture.owner.id }),
      personal_organization: async (fixture) => atHome(fixture, { userId: fixture.owner.id }),
    },
  },
};
