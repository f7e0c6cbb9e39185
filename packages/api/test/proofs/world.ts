import { randomUUID } from 'node:crypto';
import { ID_PREFIXES, type IdPrefix } from '../../src/contract/ids.ts';
import type { OrganizationRole, PlatformRole } from '../../src/contract/permissions.ts';
import { ORGANIZATION_ROLES } from '../../src/contract/permissions.ts';
import { appRouter } from '../../src/router.ts';
import { proceduresOf } from '../../src/transports/rest-routes.ts';
import type { Answer, Person, TestApp } from '../app.ts';

/** Every procedure, as the proofs see it. Whatever is added to the router is proven without being named here. */
export const procedures = proceduresOf(appRouter).map(([name, { meta, type, inputs }]) => ({
  name,
  meta,
  type,
  inputs,
}));

export type Procedure = (typeof procedures)[number];

/** Somebody who calls, by the headers that say who it is. */
export type Caller = Record<string, string>;

export const STRATEGIES = ['header', 'subdomain', 'none'] as const;
export const MAIN_DOMAIN = 'proofs.test';

/**
 * One organization with a member of every role, keys of it, and platform staff. Its members say where they are as the app's
 * tenancy strategy reads it: by header, by subdomain, or by having it as their default.
 */
export async function buildWorld(app: TestApp) {
  const { database, ids } = app.ports;
  const owner = await app.signUp();
  const made = await owner.request('/api/v1/organizations', { method: 'POST', body: { name: 'Proven' } });
  const strategy = app.ports.env.MULTI_TENANCY_STRATEGY;
  const here: Caller =
    strategy === 'subdomain'
      ? { 'x-test-host': `${made.body.subdomain}.${MAIN_DOMAIN}` }
      : strategy === 'header'
        ? { 'x-organization-id': made.body.id }
        : {};
  const organizationId = ids.decode('org', made.body.id);
  const bearer = (person: Person): Caller => ({ authorization: `Bearer ${person.tokens.accessToken}` });

  /** Where nothing else is read, the default decides. */
  async function settle(person: Person): Promise<void> {
    if (strategy !== 'none') return;
    await person.request('/api/v1/users/me', { method: 'PATCH', body: { defaultOrganizationId: made.body.id } });
  }
  async function member(role: OrganizationRole): Promise<Person> {
    const person = await app.signUp();
    await database('organization_members').insert({
      organizationId,
      userId: ids.decode('usr', person.id),
      role,
      createdAt: new Date(),
    });
    await settle(person);
    return person;
  }
  async function staff(role: PlatformRole): Promise<Person> {
    const person = await app.signUp();
    await database('users')
      .where({ id: ids.decode('usr', person.id) })
      .update({ role });
    return person;
  }
  async function key(scopes: string[]): Promise<{ id: string; caller: Caller }> {
    const { body } = await owner.request('/api/v1/api-keys', {
      method: 'POST',
      headers: here,
      body: { name: scopes.join(' ').slice(0, 80), scopes },
    });
    return { id: body.id, caller: { 'x-api-key': body.secret } };
  }

  /** A viewer with a custom role that has nothing of its own, but a grandparent that does. */
  async function heir(permissions: readonly string[]): Promise<Caller> {
    let parentId: string | undefined;
    for (const own of [permissions, [], []]) {
      const body = { name: randomUUID(), permissions: own, parentId };
      parentId = (await owner.request('/api/v1/roles', { method: 'POST', headers: here, body })).body.id;
    }
    const person = await member('VIEWER');
    const body = { roleIds: [parentId] };
    await owner.request(`/api/v1/users/${person.id}/roles`, { method: 'PUT', headers: here, body });
    return { ...bearer(person), ...here };
  }

  await settle(owner);
  const members = Object.fromEntries(
    await Promise.all(
      ORGANIZATION_ROLES.map(async (role) => [role, role === 'OWNER' ? owner : await member(role)] as const),
    ),
  ) as Record<OrganizationRole, Person>;
  const inOrganization = (role: OrganizationRole): Caller => ({ ...bearer(members[role]), ...here });
  return {
    app,
    owner,
    members,
    organizationId: made.body.id as string,
    here,
    key,
    heir,
    staff,
    bearer,
    inOrganization,
  };
}

export type World = Awaited<ReturnType<typeof buildWorld>>;

/** Calls a procedure over tRPC, which takes its input as it is. */
export function call(
  app: TestApp,
  { name, type }: Pick<Procedure, 'name' | 'type'>,
  caller: Caller,
  input: unknown,
): Promise<Answer> {
  if (type === 'mutation') return app.request(`/trpc/${name}`, { method: 'POST', headers: caller, body: input ?? {} });
  return app.request(`/trpc/${name}?input=${encodeURIComponent(JSON.stringify(input ?? {}))}`, { headers: caller });
}

/** `ok`, or the code of the problem. */
export const outcome = ({ body }: Answer): string => body.error?.data.problem.code ?? 'ok';

const ID = new RegExp(`^(${Object.keys(ID_PREFIXES).join('|')})_[0-9a-hjkmnp-tv-z]{26}$`);

/** Where ids stand in an input: `keyId`, `roleIds.0`. */
export function idsIn(value: unknown, path: string[] = []): { path: string[]; prefix: IdPrefix }[] {
  if (typeof value === 'string') {
    const prefix = ID.exec(value)?.[1];
    return prefix ? [{ path, prefix: prefix as IdPrefix }] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => idsIn(part, [...path, key]));
}

/** A copy of `value` with what stands at `path` replaced. */
export function replaceAt(value: unknown, [key, ...rest]: string[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaceAt(copy[key], rest, replacement);
  return copy;
}
