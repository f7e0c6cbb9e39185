import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '@rentapi/api/contract/errors';
import { isOrganizationPermission, ORGANIZATION_PERMISSIONS } from '@rentapi/api/contract/permissions';
import type { Person } from '../app.ts';
import { invited, type Scenario, scenario } from './scenarios.ts';
import { type Caller, type Fixture, idPlaces, type Procedure, replaceAt } from './world.ts';

type Failing = (world: Fixture) => Promise<Scenario>;
type Failures = Partial<Record<ErrorCode, Failing>>;

const unknownText = 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg';

/** What a procedure can answer by what it says of itself: who may call, what it takes, which codes it declares. */
function implied(procedure: Procedure): Failures {
  const { meta } = procedure;
  const { access } = meta;
  const isOpen = access === 'public' || access.startsWith('proof:');
  const wrong =
    (change: (world: Fixture, scene: Scenario) => Scenario | Promise<Scenario>): Failing =>
    async (world) =>
      change(world, await scenario(world, procedure));
  const by = (caller: (world: Fixture) => Promise<Caller>): Failing =>
    wrong(async (world, scene) => ({ ...scene, caller: await caller(world) }));

  const failures: Failures = {};
  if (meta.example.input) {
    failures.invalid_input = wrong((_, { caller, input }) => ({
      caller,
      input: { ...(input as object), unknown: 'x' },
    }));
  }
  if (!isOpen) {
    failures.credentials_required = by(async () => ({}));
    failures.invalid_access_token = by(async () => ({ authorization: 'Bearer a.b.c' }));
    failures.invalid_api_key = by(async () => ({ 'x-api-key': 'rapi_live_nonsense' }));
  }
  // A deleted organization has no keys that would open.
  const opensToKeys = !meta.allowDeletedOrganization;
  if (isOrganizationPermission(access) && opensToKeys) {
    const others = Object.keys(ORGANIZATION_PERMISSIONS).filter((scope) => scope !== access);
    failures.permission_denied = by(async ({ key }) => (await key(others)).caller);
    failures.organization_mismatch = by(async ({ key, app }) => ({
      ...(await key(['*'])).caller,
      'x-organization-id': (await app.signUp()).organizationId,
    }));
  }
  if ((access === 'user' || meta.fresh) && opensToKeys)
    failures.user_required = by(async ({ key }) => (await key(['*'])).caller);
  if (meta.fresh) failures.reauthentication_required = by(longAgo);
  const [place] = isOpen ? [] : idPlaces(procedure).filter(({ prefix }) => prefix !== 'org');
  if (place && procedure.type === 'mutation') {
    failures.not_found = wrong(({ app }, { caller, input }) => ({
      caller,
      input: replaceAt(input, place.path, app.ports.ids.encode(place.prefix, 2 ** 40)),
    }));
  }
  if (meta.errors?.includes('invalid_cursor')) {
    failures.invalid_cursor = wrong((_, { caller, input }) => ({
      caller,
      input: { ...(input as object), cursor: 'x' },
    }));
  }
  if (meta.errors?.includes('version_mismatch')) {
    failures.version_mismatch = wrong((_, { caller, input }) => ({
      caller: { ...caller, 'if-match': '"999"' },
      input,
    }));
  }
  return failures;
}

/** An owner who logged in so long ago that what asks for a recent login is closed to them. */
async function longAgo({ app, owner, inOrganization }: Fixture): Promise<Caller> {
  await app
    .rows('sessions')
    .where({ userId: app.ports.ids.decode('usr', owner.id) })
    .update({ authenticatedAt: new Date(Date.now() - 3_600_000) });
  await new Promise((resolve) => setTimeout(resolve, 50)); // until the change has been heard
  return inOrganization('OWNER');
}

const here = (world: Fixture, input: object): Scenario => ({
  caller: world.inOrganization('OWNER'),
  input: { orgId: world.organizationId, ...input },
});
const inRoles = (world: Fixture, input: object): Scenario => ({ caller: world.inOrganization('OWNER'), input });
const atHome = ({ owner, bearer }: Fixture, input: object = {}): Scenario => ({
  caller: bearer(owner),
  input: { orgId: owner.organizationId, ...input },
});
const systemRole = ({ app }: Fixture): string => app.ports.ids.encode('rol', 1);

async function namedOwner({ owner }: Fixture): Promise<string> {
  const username = `u${randomUUID().slice(0, 12)}`;
  await owner.request('/api/v1/users/me', { method: 'PATCH', body: { username } });
  return username;
}

/** Names that another organization has. */
async function takenNames({ app }: Fixture): Promise<{ slug: string; subdomain: string }> {
  const name = `taken-${randomUUID().slice(0, 12)}`;
  const body = { name, slug: name, subdomain: name };
  return (await (await app.signUp()).request('/api/v1/organizations', { method: 'POST', body })).body;
}

async function role({ owner, here }: Fixture, given: object = {}): Promise<{ id: string; name: string }> {
  const body = { name: randomUUID(), permissions: [], ...given };
  return (await owner.request('/api/v1/roles', { method: 'POST', headers: here, body })).body;
}

/** The last of a line that has as many generations as a line may have. */
async function lastOfLine(world: Fixture): Promise<string> {
  let parentId: string | undefined;
  for (let generation = 1; generation <= 5; generation++) parentId = (await role(world, { parentId })).id;
  return parentId!;
}

/** Somebody who holds one permission more than a viewer, and no others to give. */
const memberWithOnly =
  (permission: string): Failing =>
  async (world) => ({ caller: await world.heir([permission]), input: {} });

async function invite(world: Fixture, email: string, role = 'VIEWER'): Promise<string> {
  const path = `/api/v1/organizations/${world.organizationId}/invitations`;
  return (await world.owner.request(path, { method: 'POST', body: { email, role } })).body.id;
}

/** Somebody whose invitation has its answer. */
async function settled(world: Fixture): Promise<string> {
  const { token, guest, id } = await invited(world);
  await guest.request('/api/v1/invitations/accept', { method: 'POST', body: { token } });
  return id;
}

const email = () => `${randomUUID()}@example.com`;
const unscoped = (person: Person): Caller => ({ authorization: `Bearer ${person.tokens.accessToken}` });

/** The codes that a procedure declares, each with a call that is answered with it. */
const declared: Record<string, Failures> = {
  'auth.register': {
    username_taken: async (world) => ({
      caller: {},
      input: { email: email(), password: 'a password of its own', username: await namedOwner(world) },
    }),
  },
  'auth.login': {
    invalid_credentials: async ({ owner }) => ({ caller: {}, input: { email: owner.email, password: 'not the one' } }),
    account_inactive: async ({ app, members }) => {
      const { id, email, password } = members.VIEWER;
      await app
        .rows('users')
        .where({ id: app.ports.ids.decode('usr', id) })
        .update({ status: 'SUSPENDED' });
      return { caller: {}, input: { email, password } };
    },
  },
  'auth.refresh': {
    invalid_refresh_token: async () => ({ caller: {}, input: { refreshToken: unknownText } }),
  },
  'auth.reauthenticate': {
    invalid_credentials: async ({ owner }) => ({ caller: unscoped(owner), input: { password: 'not the one' } }),
  },
  'auth.email.verify': { invalid_token: async () => ({ caller: {}, input: { token: unknownText } }) },
  'apiKeys.create': {
    scope_not_held: async ({ key }) => ({
      caller: (await key(['api_keys:create'])).caller,
      input: { name: 'CI', scopes: ['api_keys:read'] },
    }),
  },
  'users.me.get': {
    key_without_user: async (world) => {
      const { app, members } = world;
      const { body } = await members.ADMIN.request('/api/v1/api-keys', {
        method: 'POST',
        headers: world.here,
        body: { name: 'left behind', scopes: ['read:*'] },
      });
      await app
        .rows('organization_members')
        .where({ userId: app.ports.ids.decode('usr', members.ADMIN.id) })
        .delete();
      return { caller: { 'x-api-key': body.secret }, input: undefined };
    },
  },
  'users.me.update': {
    not_found: async ({ app, owner }) => ({
      caller: unscoped(owner),
      input: { defaultOrganizationId: (await app.signUp()).organizationId },
    }),
    username_taken: async (world) => {
      const username = await namedOwner(world);
      return { caller: unscoped(world.members.VIEWER), input: { username } };
    },
  },
  'users.roles.set': {
    permission_not_held: async (world) => {
      const more = await role(world, { permissions: ['org:update'] });
      const { caller } = await memberWithOnly('roles:assign')(world);
      return { caller, input: { userId: world.members.VIEWER.id, roleIds: [more.id] } };
    },
    target_has_more_permissions: async (world) => {
      const { caller } = await memberWithOnly('roles:assign')(world);
      return { caller, input: { userId: world.owner.id, roleIds: [] } };
    },
    system_role: async (world) => inRoles(world, { userId: world.members.MEMBER.id, roleIds: [systemRole(world)] }),
  },
  'roles.create': {
    permission_not_held: async (world) => ({
      ...(await memberWithOnly('roles:create')(world)),
      input: { name: randomUUID(), permissions: ['org:update'] },
    }),
    role_name_taken: async (world) => inRoles(world, { name: (await role(world)).name, permissions: [] }),
    role_too_deep: async (world) =>
      inRoles(world, { name: randomUUID(), parentId: await lastOfLine(world), permissions: [] }),
    system_role: async (world) => inRoles(world, { name: randomUUID(), parentId: systemRole(world), permissions: [] }),
  },
  'roles.update': {
    permission_not_held: async (world) => ({
      ...(await memberWithOnly('roles:update')(world)),
      input: { roleId: (await role(world)).id, permissions: ['org:update'] },
    }),
    role_name_taken: async (world) =>
      inRoles(world, { roleId: (await role(world)).id, name: (await role(world)).name }),
    role_cycle: async (world) => {
      const { id } = await role(world);
      return inRoles(world, { roleId: id, parentId: id });
    },
    role_too_deep: async (world) =>
      inRoles(world, { roleId: (await role(world)).id, parentId: await lastOfLine(world) }),
    system_role: async (world) => inRoles(world, { roleId: systemRole(world), name: 'Mine' }),
  },
  'roles.delete': {
    role_has_children: async (world) => {
      const { id } = await role(world);
      await role(world, { parentId: id });
      return inRoles(world, { roleId: id });
    },
    system_role: async (world) => inRoles(world, { roleId: systemRole(world) }),
  },
  'orgs.create': {
    name_reserved: async (world) => inRoles(world, { name: 'Acme', slug: 'admin' }),
    slug_taken: async (world) => inRoles(world, { name: 'Acme', slug: (await takenNames(world)).slug }),
    subdomain_taken: async (world) => inRoles(world, { name: 'Acme', subdomain: (await takenNames(world)).subdomain }),
  },
  'orgs.update': {
    name_reserved: async (world) => here(world, { slug: 'admin' }),
    slug_taken: async (world) => here(world, { slug: (await takenNames(world)).slug }),
    subdomain_taken: async (world) => here(world, { subdomain: (await takenNames(world)).subdomain }),
  },
  'orgs.delete': {
    deletion_protected: async (world) => {
      const path = `/api/v1/organizations/${world.organizationId}`;
      await world.owner.request(path, { method: 'PATCH', body: { deletionProtection: true } });
      return here(world, {});
    },
    personal_organization: async (world) => atHome(world),
  },
  'orgs.restore': {
    restore_window_over: async (world) => {
      const { app, owner, organizationId } = world;
      await owner.request(`/api/v1/organizations/${organizationId}`, { method: 'DELETE' });
      await app
        .rows('organizations')
        .where({ id: app.ports.ids.decode('org', organizationId) })
        .update({ deletedAt: new Date(Date.now() - 31 * 86_400_000) });
      return { caller: unscoped(owner), input: { orgId: organizationId } };
    },
  },
  'orgs.leave': {
    last_owner: async (world) => here(world, {}),
    personal_organization: async (world) => atHome(world),
  },
  'orgs.transfer': {
    personal_organization: async (world) => atHome(world, { userId: world.owner.id }),
  },
  'orgs.members.setRole': {
    permission_not_held: async (world) => ({
      ...here(world, { userId: world.members.VIEWER.id, role: 'OWNER' }),
      caller: world.inOrganization('ADMIN'),
    }),
    target_has_more_permissions: async (world) => ({
      ...here(world, { userId: world.owner.id, role: 'VIEWER' }),
      caller: world.inOrganization('ADMIN'),
    }),
    last_owner: async (world) => here(world, { userId: world.owner.id, role: 'VIEWER' }),
    personal_organization: async (world) => atHome(world, { userId: world.owner.id, role: 'VIEWER' }),
  },
  'orgs.members.remove': {
    target_has_more_permissions: async (world) => ({
      ...here(world, { userId: world.owner.id }),
      caller: world.inOrganization('ADMIN'),
    }),
    last_owner: async (world) => here(world, { userId: world.owner.id }),
    personal_organization: async (world) => atHome(world, { userId: world.owner.id }),
  },
  'orgs.invitations.create': {
    permission_not_held: async (world) => ({
      ...here(world, { email: email(), role: 'OWNER' }),
      caller: world.inOrganization('ADMIN'),
    }),
    already_member: async (world) => here(world, { email: world.members.MEMBER.email, role: 'VIEWER' }),
    invitation_pending: async (world) => {
      const invitee = email();
      await invite(world, invitee);
      return here(world, { email: invitee, role: 'VIEWER' });
    },
  },
  'orgs.invitations.revoke': {
    invitation_not_pending: async (world) => here(world, { invitationId: await settled(world) }),
  },
  'orgs.invitations.resend': {
    permission_not_held: async (world) => ({
      ...here(world, { invitationId: await invite(world, email(), 'OWNER') }),
      caller: world.inOrganization('ADMIN'),
    }),
    invitation_not_pending: async (world) => here(world, { invitationId: await settled(world) }),
  },
  'orgs.invitations.accept': {
    invalid_token: async ({ owner }) => ({ caller: unscoped(owner), input: { token: unknownText } }),
    invitation_for_another: async (world) => {
      const { token } = await invited(world);
      return { caller: unscoped(world.owner), input: { token } };
    },
    invitation_no_longer_valid: async (world) => {
      const { app, owner } = world;
      const { token, guest } = await invited(world);
      await app
        .rows('organization_members')
        .where({ userId: app.ports.ids.decode('usr', owner.id), role: 'OWNER' })
        .where({ organizationId: app.ports.ids.decode('org', world.organizationId) })
        .update({ role: 'VIEWER' });
      return { caller: unscoped(guest), input: { token } };
    },
    already_member: async (world) => {
      const { app } = world;
      const { token, guest } = await invited(world);
      await app.rows('organization_members').insert({
        organizationId: app.ports.ids.decode('org', world.organizationId),
        userId: app.ports.ids.decode('usr', guest.id),
        role: 'VIEWER',
        createdAt: new Date(),
      });
      return { caller: unscoped(guest), input: { token } };
    },
  },
  'orgs.invitations.decline': { invalid_token: async () => ({ caller: {}, input: { token: unknownText } }) },
};

/** Declared codes that no single call brings about; each has a test of its own beside its slice. */
export const NOT_BY_ONE_CALL: readonly ErrorCode[] = [
  'limit_reached', // as many rows as a limit allows
  'overloaded', // more passwords at once than are hashed
  'unavailable', // a database that is gone
  'email_not_verified', // only with REQUIRE_EMAIL_VERIFICATION
];

/** Every way in which a call of this procedure is known to fail, by the code of its answer. */
export function failuresOf(procedure: Procedure): [ErrorCode, Failing][] {
  return Object.entries({ ...implied(procedure), ...declared[procedure.name] }) as [ErrorCode, Failing][];
}

export const FAILING_PROCEDURES = Object.keys(declared);
