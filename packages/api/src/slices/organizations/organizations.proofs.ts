import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { atHome, byOwner, here, unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** Names of another organization. */
async function takenNames({ app }: Fixture): Promise<{ slug: string; subdomain: string }> {
  const name = `taken-${randomUUID().slice(0, 12)}`;
  const body = { name, slug: name, subdomain: name };
  return (await (await app.signUp()).request('/api/v1/organizations', { method: 'POST', body })).body;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'orgs.create': async (fixture) => ({ caller: fixture.inOrganization('OWNER'), input: { name: 'Acme Inc.' } }),
    'orgs.restore': async ({ owner, organizationId, bearer }) => {
      await owner.request(`/api/v1/organizations/${organizationId}`, { method: 'DELETE' });
      return { caller: bearer(owner), input: { orgId: organizationId } };
    },
  },
  failures: {
    'orgs.create': {
      name_reserved: async (fixture) => byOwner(fixture, { name: 'Acme', slug: 'admin' }),
      slug_taken: async (fixture) => byOwner(fixture, { name: 'Acme', slug: (await takenNames(fixture)).slug }),
      subdomain_taken: async (fixture) =>
        byOwner(fixture, { name: 'Acme', subdomain: (await takenNames(fixture)).subdomain }),
    },
    'orgs.update': {
      name_reserved: async (fixture) => here(fixture, { slug: 'admin' }),
      slug_taken: async (fixture) => here(fixture, { slug: (await takenNames(fixture)).slug }),
      subdomain_taken: async (fixture) => here(fixture, { subdomain: (await takenNames(fixture)).subdomain }),
    },
    'orgs.delete': {
      deletion_protected: async (fixture) => {
        const path = `/api/v1/organizations/${fixture.organizationId}`;
        await fixture.owner.request(path, { method: 'PATCH', body: { deletionProtection: true } });
        return here(fixture, {});
      },
      personal_organization: async (fixture) => atHome(fixture),
    },
    'orgs.restore': {
      restore_window_over: async (fixture) => {
        const { app, owner, organizationId } = fixture;
        await owner.request(`/api/v1/organizations/${organizationId}`, { method: 'DELETE' });
        await app
          .rows('organizations')
          .where({ id: app.ports.ids.decode('org', organizationId) })
          .update({ deletedAt: new Date(Date.now() - 31 * 86_400_000) });
        return { caller: unscoped(owner), input: { orgId: organizationId } };
      },
    },
  },
};
