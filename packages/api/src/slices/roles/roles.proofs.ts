import { randomUUID } from 'node:crypto';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { byOwner, memberWithOnly } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

const systemRole = ({ app }: Fixture): string => app.ports.ids.encode('rol', 1);

async function role({ owner, here }: Fixture, given: object = {}): Promise<{ id: string; name: string }> {
  const body = { name: randomUUID(), permissions: [], ...given };
  return (await owner.request('/api/v1/roles', { method: 'POST', headers: here, body })).body;
}

/** The last role of a line with the maximum number of generations. */
async function lastOfLine(fixture: Fixture): Promise<string> {
  let parentId: string | undefined;
  for (let generation = 1; generation <= 5; generation++) parentId = (await role(fixture, { parentId })).id;
  return parentId!;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    rol: async (fixture) => (await role(fixture)).id,
  },
  failures: {
    'users.roles.set': {
      permission_not_held: async (fixture) => {
        const more = await role(fixture, { permissions: ['org:update'] });
        const { caller } = await memberWithOnly('roles:assign')(fixture);
        return { caller, input: { userId: fixture.members.VIEWER.id, roleIds: [more.id] } };
      },
      target_has_more_permissions: async (fixture) => {
        const { caller } = await memberWithOnly('roles:assign')(fixture);
        return { caller, input: { userId: fixture.owner.id, roleIds: [] } };
      },
      system_role: async (fixture) =>
        byOwner(fixture, { userId: fixture.members.MEMBER.id, roleIds: [systemRole(fixture)] }),
    },
    'roles.create': {
      permission_not_held: async (fixture) => ({
        ...(await memberWithOnly('roles:create')(fixture)),
        input: { name: randomUUID(), permissions: ['org:update'] },
      }),
      role_name_taken: async (fixture) => byOwner(fixture, { name: (await role(fixture)).name, permissions: [] }),
      role_too_deep: async (fixture) =>
        byOwner(fixture, { name: randomUUID(), parentId: await lastOfLine(fixture), permissions: [] }),
      system_role: async (fixture) =>
        byOwner(fixture, { name: randomUUID(), parentId: systemRole(fixture), permissions: [] }),
    },
    'roles.update': {
      permission_not_held: async (fixture) => ({
        ...(await memberWithOnly('roles:update')(fixture)),
        input: { roleId: (await role(fixture)).id, permissions: ['org:update'] },
      }),
      role_name_taken: async (fixture) =>
        byOwner(fixture, { roleId: (await role(fixture)).id, name: (await role(fixture)).name }),
      role_cycle: async (fixture) => {
        const { id } = await role(fixture);
        return byOwner(fixture, { roleId: id, parentId: id });
      },
      role_too_deep: async (fixture) =>
        byOwner(fixture, { roleId: (await role(fixture)).id, parentId: await lastOfLine(fixture) }),
      system_role: async (fixture) => byOwner(fixture, { roleId: systemRole(fixture), name: 'Mine' }),
    },
    'roles.delete': {
      role_has_children: async (fixture) => {
        const { id } = await role(fixture);
        await role(fixture, { parentId: id });
        return byOwner(fixture, { roleId: id });
      },
      system_role: async (fixture) => byOwner(fixture, { roleId: systemRole(fixture) }),
    },
  },
};
