import type { Person } from '../../../test/app.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { anyEmail, unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, Failures, Scenario, SliceProofs } from '../../../test/proofs/slice-proofs.ts';
import { namedOwner } from '../users/users.proofs.ts';

/** By an administrator of the platform, about a person of their own. */
const byStaff =
  (input: object = {}, prepare?: (fixture: Fixture, person: Person) => Promise<void>): Failing =>
  async (fixture) => {
    const person = await fixture.app.signUp();
    await prepare?.(fixture, person);
    return about(fixture, person, input);
  };

async function about(fixture: Fixture, { id }: Person, input: object): Promise<Scenario> {
  return { caller: unscoped(await fixture.staff('ADMIN')), input: { userId: id, ...input } };
}

const changed = (columns: object) => async (fixture: Fixture, person: Person) => {
  await fixture.app
    .rows('users')
    .where({ id: fixture.app.ports.ids.decode('usr', person.id) })
    .update(columns);
};

const outranked = (input: object = {}): Failures => ({
  target_has_more_permissions: byStaff(input, changed({ role: 'SUPER_ADMIN' })),
});

/** The only active super administrator, about themselves. */
const alone =
  (input: (person: Person) => unknown): Failing =>
  async (fixture) => {
    await fixture.app.rows('users').where({ role: 'SUPER_ADMIN' }).update({ role: 'USER' });
    const person = await fixture.staff('SUPER_ADMIN');
    return { caller: unscoped(person), input: input(person) };
  };
const themselves = ({ id }: Person) => ({ userId: id });

const ownsAlone = async (_: Fixture, person: Person): Promise<void> => {
  await person.request('/api/v1/organizations', { method: 'POST', body: { name: `Of ${person.email.slice(0, 8)}` } });
};

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'users.create': async (fixture) => ({
      caller: unscoped(await fixture.staff('ADMIN')),
      input: { email: anyEmail(), fullName: 'Ada Lovelace' },
    }),
    'users.update': byStaff({ fullName: 'Ada King' }),
    'users.delete': byStaff(),
    'users.suspend': byStaff(),
    'users.activate': byStaff({}, changed({ status: 'SUSPENDED' })),
    'users.deactivate': byStaff(),
    'users.me.delete': async ({ app }) => ({ caller: unscoped(await app.signUp()), input: undefined }),
  },
  failures: {
    'users.create': {
      email_taken: async (fixture) => ({
        caller: unscoped(await fixture.staff('ADMIN')),
        input: { email: fixture.owner.email },
      }),
      username_taken: async (fixture) => ({
        caller: unscoped(await fixture.staff('ADMIN')),
        input: { email: anyEmail(), username: await namedOwner(fixture) },
      }),
    },
    'users.update': {
      ...outranked({ fullName: 'Ada King' }),
      account_deleted: byStaff({ fullName: 'Ada King' }, changed({ status: 'DELETED' })),
      username_taken: async (fixture) => {
        const username = await namedOwner(fixture);
        const { VIEWER } = fixture.members;
        return { caller: unscoped(VIEWER), input: { userId: VIEWER.id, username } };
      },
    },
    'users.delete': {
      ...outranked(),
      last_owner: byStaff({}, ownsAlone),
      last_super_admin: alone(themselves),
    },
    'users.suspend': {
      ...outranked(),
      account_deleted: byStaff({}, changed({ status: 'DELETED' })),
      last_super_admin: alone(themselves),
    },
    'users.deactivate': {
      ...outranked(),
      account_deleted: byStaff({}, changed({ status: 'DELETED' })),
      last_super_admin: alone(themselves),
    },
    'users.activate': {
      ...outranked(),
      account_erased: byStaff({}, changed({ status: 'DELETED' })),
    },
    'users.me.delete': {
      last_super_admin: alone(() => undefined),
      last_owner: async (fixture) => {
        const person = await fixture.app.signUp();
        await ownsAlone(fixture, person);
        return { caller: unscoped(person), input: undefined };
      },
    },
  },
};
