import type { ProcedureMeta } from '@rentapi/api/contract/meta';
import {
  GRANTABLE_PERMISSIONS,
  isGrantable,
  isOrganizationPermission,
  ORGANIZATION_PERMISSIONS,
  ORGANIZATION_ROLES,
  PLATFORM_ROLE_PERMISSIONS,
  platformPermissionOf,
  ROLE_PERMISSIONS,
} from '@rentapi/api/contract/permissions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import {
  buildFixture,
  type Caller,
  call,
  type Fixture,
  MAIN_DOMAIN,
  outcome,
  type Procedure,
  procedures,
  STRATEGIES,
} from './fixture.ts';

/**
 * Every procedure × every caller gives exactly what its `access` says. Permission is checked before input, so a call
 * with an unknown field shows who would be admitted, and changes nothing.
 */
const WHO = [
  ...ORGANIZATION_ROLES,
  'anonymous',
  'stranger',
  'platform VIEWER',
  'platform ADMIN',
  'SUPER_ADMIN',
  'key with every scope',
] as const;
type Who = (typeof WHO)[number];

const isPublic = (access: string) => access === 'public' || access.startsWith('proof:');
const isKey = (who: Who) => who === 'key with every scope';
const isMember = (who: Who) => (ORGANIZATION_ROLES as readonly string[]).includes(who);
/** Staff of the platform name organizations of which they are no members. */
const namesOrganization = ({ openapi, access }: ProcedureMeta) =>
  openapi.path.includes('{orgId}') && !platformPermissionOf(access);

/** What the contract says, derived from its tables alone. An admitted caller gets the error of the unknown field. */
function expected(meta: ProcedureMeta, who: Who): string {
  const { access } = meta;
  if (isPublic(access)) return 'invalid_input';
  if (who === 'anonymous') return 'credentials_required';
  // An organization named in the path: a caller who is no member gets a 404.
  if (namesOrganization(meta) && !isMember(who) && !isKey(who)) return 'not_found';
  if (access === 'userOrKey') return 'invalid_input';
  if (access === 'user') return isKey(who) ? 'user_required' : 'invalid_input';
  if (isOrganizationPermission(access)) {
    // Elsewhere every user is the OWNER of their personal organization.
    const role = isMember(who) ? (who as keyof typeof ROLE_PERMISSIONS) : 'OWNER';
    if (isKey(who)) return meta.fresh ? 'user_required' : 'invalid_input';
    return ROLE_PERMISSIONS[role].has(access) ? 'invalid_input' : 'permission_denied';
  }
  const platformRole =
    { 'platform VIEWER': 'VIEWER', 'platform ADMIN': 'ADMIN', SUPER_ADMIN: 'SUPER_ADMIN' }[who as string] ?? 'USER';
  const platformPermissions = PLATFORM_ROLE_PERMISSIONS[platformRole as keyof typeof PLATFORM_ROLE_PERMISSIONS];
  // The probe names no user, so that for access of the user themselves only staff is admitted.
  return !isKey(who) && platformPermissions.has(platformPermissionOf(access)!) ? 'invalid_input' : 'permission_denied';
}

describe.each(STRATEGIES)('tenancy by %s', (strategy) => {
  let app: TestApp;
  let fixture: Fixture;
  const callers: Record<string, Caller> = {};

  beforeAll(async () => {
    app = await startApp({ MULTI_TENANCY_STRATEGY: strategy, HOST_MAIN_DOMAIN: MAIN_DOMAIN });
    fixture = await buildFixture(app);
    for (const role of ORGANIZATION_ROLES) callers[role] = fixture.inOrganization(role);
    callers['anonymous'] = {};
    callers['stranger'] = fixture.bearer(await app.signUp());
    callers['platform VIEWER'] = fixture.bearer(await fixture.staff('VIEWER'));
    callers['platform ADMIN'] = fixture.bearer(await fixture.staff('ADMIN'));
    callers['SUPER_ADMIN'] = fixture.bearer(await fixture.staff('SUPER_ADMIN'));
    callers['key with every scope'] = (await fixture.key(['*'])).caller;
  });
  afterAll(() => app.close());

  /** The callers of a permission, however many procedures ask for it. */
  const made = new Map<string, Promise<Caller>>();
  function once(name: string, make: () => Promise<Caller>): Promise<Caller> {
    const caller = made.get(name) ?? make();
    made.set(name, caller);
    return caller;
  }
  const keyWith = (name: string, scopes: string[]) =>
    once(`key ${name}`, async () => (await fixture.key(scopes)).caller);
  const viewerInheriting = (permission: string) =>
    once(`viewer ${permission}`, () => fixture.viewerWith([permission], { inherited: true }));
  // One role each: an organization has at most a hundred.
  const viewerWithout = (permission: string, rest: readonly string[]) =>
    once(`viewer but ${permission}`, () => fixture.viewerWith(rest));

  const probe = (procedure: Procedure, caller: Caller) =>
    call(app, procedure, caller, {
      ...(namesOrganization(procedure.meta) && { orgId: fixture.organizationId }),
      surelyUnknown: true,
    });

  describe.each(procedures)('$name ($meta.access)', (procedure) => {
    it.each(WHO)('gives %s what the contract says', async (who) => {
      expect(outcome(await probe(procedure, callers[who]!))).toBe(expected(procedure.meta, who));
    });

    if (procedure.meta.access.startsWith('self:'))
      it('admits a user about themselves, and not about another', async () => {
        const { MEMBER, VIEWER } = fixture.members;
        const about = (userId: string) =>
          call(app, procedure, fixture.bearer(MEMBER), { userId, surelyUnknown: true }).then(outcome);
        expect([await about(MEMBER.id), await about(VIEWER.id)]).toEqual(['invalid_input', 'permission_denied']);
      });

    if (!isOrganizationPermission(procedure.meta.access) || procedure.meta.fresh) return;
    it('accepts a key with exactly its scope, and none without', async () => {
      const { access } = procedure.meta;
      const without = Object.keys(ORGANIZATION_PERMISSIONS).filter((scope) => scope !== access);
      expect(outcome(await probe(procedure, await keyWith(access, [access])))).toBe('invalid_input');
      expect(outcome(await probe(procedure, await keyWith(`but ${access}`, without)))).toBe('permission_denied');
    });

    if (!isGrantable(procedure.meta.access) || ROLE_PERMISSIONS.VIEWER.has(procedure.meta.access)) return;
    it('accepts a viewer who inherits exactly its permission from a custom role, and none who has the rest', async () => {
      const { access } = procedure.meta;
      const rest = GRANTABLE_PERMISSIONS.filter((permission) => permission !== access);
      expect(outcome(await probe(procedure, await viewerInheriting(access)))).toBe('invalid_input');
      expect(outcome(await probe(procedure, await viewerWithout(access, rest)))).toBe('permission_denied');
    });
  });
});
