import type { ErrorCode } from '@rentapi/api/contract/errors';
import {
  isOrganizationPermission,
  ORGANIZATION_PERMISSIONS,
  platformPermissionOf,
} from '@rentapi/api/contract/permissions';
import { type Caller, type Fixture, idPlaces, type Procedure, replaceAt } from './fixture.ts';
import { scenario } from './scenarios.ts';
import { type Failing, type Failures, type Scenario, sliceProofs } from './slice-proofs.ts';

/** The failures of a procedure that follow from its declaration: access, input, declared codes. */
function implied(procedure: Procedure): Failures {
  const { meta } = procedure;
  const { access } = meta;
  const isOpen = access === 'public' || access.startsWith('proof:');
  const wrong =
    (change: (fixture: Fixture, scene: Scenario) => Scenario | Promise<Scenario>): Failing =>
    async (fixture) =>
      change(fixture, await scenario(fixture, procedure));
  const by = (caller: (fixture: Fixture) => Promise<Caller>): Failing =>
    wrong(async (fixture, scene) => ({ ...scene, caller: await caller(fixture) }));

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
  // A deleted organization has no valid keys.
  const opensToKeys = !meta.allowDeletedOrganization;
  if (isOrganizationPermission(access) && opensToKeys) {
    const others = Object.keys(ORGANIZATION_PERMISSIONS).filter((scope) => scope !== access);
    failures.permission_denied = by(async ({ key }) => (await key(others)).caller);
    failures.organization_mismatch = by(async ({ key, app }) => ({
      ...(await key(['*'])).caller,
      'x-organization-id': (await app.signUp()).organizationId,
    }));
  }
  if ((access === 'user' || (meta.fresh && !platformPermissionOf(access))) && opensToKeys)
    failures.user_required = by(async ({ key }) => (await key(['*'])).caller);
  if (platformPermissionOf(access)) {
    failures.permission_denied = by(async ({ bearer, members }) => bearer(members.VIEWER));
  }
  if (meta.fresh) failures.reauthentication_required = wrong(longAgo);
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

/** The same caller, whose login is too old for operations that require a recent one. */
async function longAgo({ app }: Fixture, scene: Scenario): Promise<Scenario> {
  const { body } = await app.request('/api/v1/users/me', { headers: scene.caller });
  await app.ageLogins(body.id);
  return scene;
}

const declared: Record<string, Failures> = Object.assign({}, ...sliceProofs.map(({ failures }) => failures));

/** Declared codes that no single call causes; each has a test of its own in its slice. */
export const NOT_BY_ONE_CALL: readonly ErrorCode[] = [
  'limit_reached', // as many rows as a limit allows
  'overloaded', // more passwords at once than are hashed
  'unavailable', // a database that is gone
  'oauth_provider_unavailable', // a provider that is gone
  'payment_provider_not_set_up', // of one provider, without its settings
  'email_not_verified', // only with REQUIRE_EMAIL_VERIFICATION
];

/** Every known way in which a call of this procedure fails, by the code of its answer. */
export function failuresOf(procedure: Procedure): [ErrorCode, Failing][] {
  return Object.entries({ ...implied(procedure), ...declared[procedure.name] }) as [ErrorCode, Failing][];
}

export const FAILING_PROCEDURES = Object.keys(declared);
