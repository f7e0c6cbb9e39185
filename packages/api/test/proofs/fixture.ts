import { randomUUID } from 'node:crypto';
import { ID_KINDS, type IdPrefix } from '@rentapi/api/contract/ids';
import { type ProcedureMeta, restPath } from '@rentapi/api/contract/meta';
import type { OrganizationRole, PlatformRole } from '@rentapi/api/contract/permissions';
import { ORGANIZATION_ROLES } from '@rentapi/api/contract/permissions';
import { appRouter } from '@rentapi/api/slices/router';
import { proceduresOf, subscriptionsOf } from '@rentapi/api/transports/rest-routes';
import { z } from 'zod';
import type { Answer, Person, TestApp } from '../app.ts';

/** Every procedure, as the proofs see it. New procedures are covered without being named here. */
export const procedures = proceduresOf(appRouter).map(([name, { meta, type, inputs }]) => ({
  name,
  meta,
  type,
  inputs,
}));

export type Procedure = (typeof procedures)[number];

type Declared = { _def: { meta: ProcedureMeta; inputs: z.ZodType[] } };

/** The only place that knows tRPC's internals: the router's type names each procedure; here they are read alike. */
export const subscriptions = subscriptionsOf(appRouter).map((name) => {
  const { meta, inputs } = (appRouter._def.procedures as unknown as Record<string, Declared>)[name]!._def;
  return { name, meta, inputs };
});

/** A caller, by the headers that identify it. */
export type Caller = Record<string, string>;

export const STRATEGIES = ['header', 'subdomain', 'none'] as const;
export const MAIN_DOMAIN = 'proofs.test';

/** The members other than the owner, by their role. */
export type Members = Record<Exclude<OrganizationRole, 'OWNER'>, Person>;

export async function signUpMembers(app: TestApp): Promise<Members> {
  const [ADMIN, MEMBER, VIEWER] = await Promise.all([app.signUp(), app.signUp(), app.signUp()]);
  return { ADMIN, MEMBER, VIEWER };
}

/**
 * One organization with an owner of its own, a member of every role, keys of it, and platform staff. Its members
 * name it as the app's tenancy strategy requires: by header, by subdomain, or as their default.
 */
export async function buildFixture(app: TestApp, others?: Members) {
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

  /** Where neither is read, the default decides. */
  async function settle(person: Person): Promise<void> {
    if (strategy !== 'none') return;
    await person.request('/api/v1/users/me', { method: 'PATCH', body: { defaultOrganizationId: made.body.id } });
  }
  async function join(role: OrganizationRole, person: Person): Promise<Person> {
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

  /** A viewer with a custom role that has these permissions, or that has none itself and inherits them. */
  async function viewerWith(permissions: readonly string[], { inherited = false } = {}): Promise<Caller> {
    let parentId: string | undefined;
    for (const own of inherited ? [permissions, []] : [permissions]) {
      const body = { name: randomUUID(), permissions: own, parentId };
      parentId = (await owner.request('/api/v1/roles', { method: 'POST', headers: here, body })).body.id;
    }
    const person = await join('VIEWER', await app.signUp());
    const body = { roleIds: [parentId] };
    await owner.request(`/api/v1/users/${person.id}/roles`, { method: 'PUT', headers: here, body });
    return { ...bearer(person), ...here };
  }

  await settle(owner);
  const members: Record<OrganizationRole, Person> = { OWNER: owner, ...(others ?? (await signUpMembers(app))) };
  for (const role of ORGANIZATION_ROLES) if (role !== 'OWNER') await join(role, members[role]);
  const inOrganization = (role: OrganizationRole): Caller => ({ ...bearer(members[role]), ...here });
  return {
    app,
    owner,
    members,
    organizationId: made.body.id as string,
    here,
    key,
    viewerWith,
    staff,
    bearer,
    inOrganization,
  };
}

export type Fixture = Awaited<ReturnType<typeof buildFixture>>;

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

/** The same call several times in one batch; one answer for each input. */
export async function callBatch(
  app: TestApp,
  { name, type }: Pick<Procedure, 'name' | 'type'>,
  caller: Caller,
  inputs: readonly unknown[],
): Promise<Answer[]> {
  const path = `/trpc/${inputs.map(() => name).join(',')}?batch=1`;
  const body = Object.fromEntries(inputs.map((input, at) => [at, input ?? {}]));
  const { headers, body: answers } =
    type === 'mutation'
      ? await app.request(path, { method: 'POST', headers: caller, body })
      : await app.request(`${path}&input=${encodeURIComponent(JSON.stringify(body))}`, { headers: caller });
  return answers.map((answer: Answer['body']) => ({
    status: answer.error?.data.httpStatus ?? 200,
    headers,
    body: answer,
  }));
}

/**
 * Calls a procedure over REST: path fields in the path, the others in the query or the body, as the method requires.
 */
export function callRest(app: TestApp, { meta }: Pick<Procedure, 'meta'>, caller: Caller, input: unknown) {
  const { method } = meta.openapi;
  const { path, rest } = inPath(meta, input);
  if (hasBody(method)) return app.request(path, { method, headers: caller, body: rest });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return app.request(query.size > 0 ? `${path}?${query}` : path, { method, headers: caller });
}

function inPath({ openapi }: ProcedureMeta, input: unknown) {
  const rest = { ...(input as Record<string, unknown>) };
  const path = restPath(openapi.path).replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  return { path, rest };
}

const hasBody = (method: string): boolean => method !== 'GET' && method !== 'DELETE';

/** Where REST reads a field from. */
export function sourceOf({ openapi }: ProcedureMeta, field: string): 'path' | 'query' | 'body' {
  if (openapi.path.includes(`{${field}}`)) return 'path';
  return hasBody(openapi.method) ? 'body' : 'query';
}

/** `ok`, or the code of the problem. */
export const outcome = ({ body }: Answer): string => body.error?.data.problem.code ?? 'ok';

const ID = new RegExp(`^(${Object.keys(ID_KINDS).join('|')})_[0-9a-hjkmnp-tv-z]{26}$`);

/** Where an input contains ids: `keyId`, `roleIds.0`. */
export function idsIn(value: unknown, path: string[] = []): { path: string[]; prefix: IdPrefix }[] {
  if (typeof value === 'string') {
    const prefix = ID.exec(value)?.[1];
    return prefix ? [{ path, prefix: prefix as IdPrefix }] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => idsIn(part, [...path, key]));
}

/** Ids that are accepted as any text, because an invalid one is answered like one that names nothing. */
const TAKEN_AS_TEXT: Record<string, IdPrefix> = { lastEventId: 'evt' };

/** Ids that customers give to things of their own, or have from others. */
const OF_CUSTOMERS = ['transactionId', 'externalId', 'taxId', 'orderId'];

interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  type?: string | string[];
  pattern?: string;
  format?: string;
}

/**
 * Every place of a procedure's input that contains an id, by the schema: `keyId`, `roleIds.0`, and each kind that it
 * accepts.
 */
export function idPlaces({ name, inputs }: Pick<Procedure, 'name' | 'inputs'>): { path: string[]; prefix: IdPrefix }[] {
  return inputs.flatMap((input) => {
    const root = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const look = (schema: JsonSchema, path: string[]): { path: string[]; prefix: IdPrefix }[] => {
      if (schema.$ref) return look(root.$defs![schema.$ref.split('/').at(-1)!]!, path);
      const kinds = /^\^\(?([a-z]{3}(?:\|[a-z]{3})*)\)?_\[/.exec(schema.pattern ?? '')?.[1];
      if (kinds) return kinds.split('|').map((prefix) => ({ path, prefix: prefix as IdPrefix }));
      if (path[0] === 'credential') return []; // its ids are the authenticator's
      if (schema.format === 'uuid') return []; // of a session, which its slice tests
      if (path.at(-1) === 'externalId') return []; // the customer's own
      const field = path.findLast((key) => key !== '0') ?? '';
      if (OF_CUSTOMERS.includes(field)) return [];
      if ([schema.type].flat().includes('string') && /(^i|I)ds?$/.test(field)) {
        const prefix = TAKEN_AS_TEXT[field];
        if (!prefix) throw new Error(`${name}, ${field}: give it the form of an id, with id()`);
        return [{ path, prefix }];
      }
      return [
        ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((part) =>
          look(part, path),
        ),
        ...Object.entries(schema.properties ?? {}).flatMap(([key, part]) => look(part, [...path, key])),
        ...(schema.items ? look(schema.items, [...path, '0']) : []),
      ];
    };
    return look(root, []);
  });
}

/** A copy of `value` with the value at `path` replaced or added. */
export function replaceAt(value: unknown, [key, ...rest]: string[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const copy = structuredClone(value ?? (key === '0' ? [] : {})) as Record<string, unknown>;
  copy[key] = replaceAt(copy[key], rest, replacement);
  return copy;
}
