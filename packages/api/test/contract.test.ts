import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { restPath } from '@rentapi/api/contract/meta';
import { ORGANIZATION_PERMISSIONS, PLATFORM_PERMISSIONS } from '@rentapi/api/contract/permissions';
import { PROTOCOL_ERRORS } from '@rentapi/api/contract/protocol-errors';
import { TAGS } from '@rentapi/api/contract/tags';
import type { EventType } from '@rentapi/api/events/event';
import type { Job } from '@rentapi/api/jobs/job';
import * as mailJobs from '@rentapi/api/mail/jobs';
import { ERRORS } from '@rentapi/api/slices/errors';
import { eventTypes, jobs, rawRoutes, sockets } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { proceduresOf, shapeOf } from '@rentapi/api/transports/rest-routes';
import type { RawRoute } from '@rentapi/api/wire/raw-route';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** What the router must satisfy for every surface made from it. New procedures are covered without being named here. */
const procedures = proceduresOf(appRouter).map(([name, def]) => ({
  name,
  ...def,
  output: (def as unknown as { output?: z.ZodType }).output,
}));
const document = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
const ACCESS = new Set([
  'public',
  'user',
  'userOrKey',
  ...Object.keys(ORGANIZATION_PERMISSIONS),
  ...PLATFORM_PERMISSIONS,
  ...PLATFORM_PERMISSIONS.map((permission) => `self:${permission}`),
]);

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

/** `METHOD path procedure`, as they were published. */
const promised = readFileSync(new URL('endpoints.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

describe.each(procedures)('$name', ({ name, meta, type, inputs, output }) => {
  it('declares who may call it', () => {
    expect(meta.access.startsWith('proof:') || ACCESS.has(meta.access)).toBe(true);
  });

  it('has a summary without a full stop, and a tag', () => {
    expect(meta.openapi.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(meta.openapi.tags).toHaveLength(1);
  });

  it('has the published method, path and name', () => {
    expect(promised, 'test/endpoints.tsv').toContain([meta.openapi.method, meta.openapi.path, name].join('\t'));
  });

  it('is in the document, under its name', () => {
    const operation = document.paths[restPath(meta.openapi.path)]?.[meta.openapi.method.toLowerCase()];
    expect(operation?.operationId).toBe(name);
    expect(Object.keys(operation.responses)).toContain(String(meta.rest?.status ?? 200));
  });

  it('never changes anything with GET', () => {
    if (meta.openapi.method === 'GET') expect(type).toBe('query');
  });

  it('refuses unknown fields', () => {
    expect(inputs).toHaveLength(1);
    const result = inputs[0]!.safeParse({ ...meta.example.input, surelyUnknown: true });
    expect(result.error?.issues.some((issue) => issue.code === 'unrecognized_keys')).toBe(true);
  });

  it('has a valid example of its input, and of its output', () => {
    expect(inputs[0]!.safeParse(meta.example.input ?? {}).error).toBeUndefined();
    expect(output, 'an output schema').toBeDefined();
    expect(output!.safeParse(meta.example.output).error).toBeUndefined();
  });

  it('declares every parameter of its path as input', () => {
    const fields = inputs.flatMap((input) => Object.keys(shapeOf(input)));
    for (const [, param] of meta.openapi.path.matchAll(/\{(\w+)\}/g)) expect(fields).toContain(param);
  });

  it('answers 204 exactly where its output is empty', () => {
    const isVoid = output!.safeParse(undefined).success && !output!.safeParse({}).success;
    expect([204, 202].includes(meta.rest?.status ?? 200) || !isVoid).toBe(true);
    if (meta.rest?.status === 204) expect(isVoid).toBe(true);
  });
});

describe('tokens', () => {
  const answersTokens = procedures.filter(({ output }) =>
    JSON.stringify(z.toJSONSchema(output!, { unrepresentable: 'any' })).includes('"accessToken"'),
  );

  it.each(answersTokens)('come as a cookie from $name too', ({ meta, inputs }) => {
    expect(meta.cookie).toBeDefined();
    // A renewal answers as it was asked; a later step of a sign-in keeps what the first was asked for.
    const isFirstStep = !meta.access.startsWith('proof:');
    if (isFirstStep) expect(Object.keys(shapeOf(inputs[0]!))).toContain('cookie');
    // The answer to a repeated request is stored, and would come without its cookie.
    expect(meta.idempotency).toBe(false);
  });
});

/** A socket's address is not in this document, which cannot describe messages: AsyncAPI's does. */
const documented = rawRoutes.filter(({ meta }) => meta.openapi.enabled !== false);

describe.each(documented)('$name, which is no procedure', ({ name, meta, input, answer }) => {
  const { method, path, summary, tags } = meta.openapi;

  it('is declared as procedures are', () => {
    expect(meta.access.startsWith('proof:') || ACCESS.has(meta.access)).toBe(true);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
    expect(tags).toHaveLength(1);
    expect(promised, 'test/endpoints.tsv').toContain([method, path, name].join('\t'));
    expect(procedures.map((procedure) => procedure.name)).not.toContain(name);
  });

  it('is in the document, under its name, with what it answers', () => {
    const operation = document.paths[restPath(path)]?.[method.toLowerCase()];
    expect(operation?.operationId).toBe(name);
    expect(Object.keys(operation.responses[meta.rest?.status ?? 200].content)).toEqual([
      answer.type,
      ...(answer.alternatives ?? []),
    ]);
  });

  it('accepts every parameter of its path, its example, and no unknown field', () => {
    for (const [, param] of path.matchAll(/\{(\w+)\}/g)) expect(Object.keys(shapeOf(input))).toContain(param);
    expect(input.safeParse(meta.example.input ?? {}).error).toBeUndefined();
    const { error } = input.safeParse({ ...meta.example.input, surelyUnknown: true });
    expect(error?.issues.some((issue) => issue.code === 'unrecognized_keys')).toBe(true);
  });
});

/** Who may see an organization may talk in it; and a preview changes nothing. */
const BY_READERS = ['orgs.chat.delete', 'orgs.chat.edit', 'orgs.chat.send', 'billing.subscription.preview'];

describe('organization permissions', () => {
  it.each(Object.entries(ORGANIZATION_PERMISSIONS))('%s is a %s, as its procedures are', (permission, kind) => {
    const used = procedures.filter(({ meta }) => meta.access === permission);
    if (used.length === 0) return;
    const { mutation = [], query = [] } = Object.groupBy(used, ({ type }) => (type === 'mutation' ? type : 'query'));
    if (kind === 'read') expect(mutation.filter(({ name }) => !BY_READERS.includes(name))).toEqual([]);
    else expect(mutation, 'what it lets change').not.toEqual([]); // it may also show what is changed
    expect(mutation.every(({ meta }) => Boolean(meta.fresh) === (kind === 'fresh'))).toBe(true);
    if (kind === 'fresh') expect(query).toEqual([]);
  });
});

describe('the document', () => {
  it('contains nothing that the contract does not', () => {
    const operations = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((path) =>
      Object.values(path),
    );
    const declared = [...procedures, ...documented].map(({ name }) => name);
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(declared.sort());
  });

  it('defines every schema it refers to, and refers to every schema it defines', () => {
    const text = JSON.stringify(document);
    const used = new Set([...text.matchAll(/"#\/components\/schemas\/([\w.]+)"/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });
});

describe('the error catalogue', () => {
  /** Answered by no operation: malformed requests, unknown paths, batches of tRPC, messages of a socket. */
  const elsewhere = [
    'malformed_request',
    'request_timeout',
    'headers_too_large',
    'operation_not_found',
    'method_not_allowed',
    'batch_too_large',
    'idempotency_key_in_batch',
    'invalid_ticket',
    'upgrade_required',
    'credential_in_url',
    'insufficient_credits', // of a procedure with a `cost`, which none has yet
  ];

  it('lists the operations that answer each code', () => {
    const operations = Object.values<Record<string, { 'x-error-codes': string[] }>>(document.paths).flatMap((path) =>
      Object.values(path),
    );
    const answered = new Set(operations.flatMap((operation) => operation['x-error-codes']));
    expect(Object.keys(ERRORS).filter((code) => !answered.has(code))).toEqual(expect.arrayContaining(elsewhere));
    expect([...answered, ...elsewhere].sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it.each(Object.entries(ERRORS))(
    '%s says what has happened and how to fix it',
    (code, { title, meaning, fix, status }) => {
      expect(code).toMatch(/^[a-z][a-z0-9_]+$/);
      expect(title).toMatch(/^[A-Z][^.]+$/);
      expect(meaning).toMatch(/^[A-Z].*\.$/s);
      expect(fix).toMatch(/^[A-Z].*\.$/s);
      expect(status).toBeGreaterThanOrEqual(400);
    },
  );
});

/** The procedures of a router, or of a record of procedures that a router is made from. */
function proceduresIn(value: unknown): unknown[] {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return [];
  const { _def: def } = value as { _def?: { procedure?: boolean; procedures?: object } };
  if (def?.procedure) return [value];
  return Object.values(def?.procedures ?? value).flatMap(proceduresIn);
}

/** The registries of the slices. A slice's file that is missing in its registry would be dead without a warning. */
describe('the registries', () => {
  const slices = new URL('../src/slices/', import.meta.url);
  const declaredIn = async (file: string): Promise<[slice: string, exported: unknown[]][]> => {
    const found = globSync(`*/${file}`, { cwd: fileURLToPath(slices) });
    const modules = found.map(async (path): Promise<[string, unknown[]]> => {
      return [path, Object.values<unknown>(await import(new URL(path, slices).href))];
    });
    return Promise.all(modules);
  };
  const everyExport = async (file: string) => (await declaredIn(file)).flatMap(([, exported]) => exported);

  it('contain every event type of every slice, so that sockets and webhooks see it', async () => {
    expect([...eventTypes.values()].toSorted(byName)).toEqual(
      ((await everyExport('events.ts')) as EventType[]).toSorted(byName),
    );
  });

  it('contain every job', async () => {
    const declared = [...((await everyExport('jobs.ts')) as Job[]), ...Object.values(mailJobs)];
    expect(jobs.toSorted(byName)).toEqual(declared.toSorted(byName));
  });

  it('contain every raw route', async () => {
    expect(rawRoutes.toSorted(byName)).toEqual(((await everyExport('raw.ts')) as RawRoute[]).toSorted(byName));
  });

  it('contain every socket', async () => {
    const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
    const declared = (await everyExport('socket.ts')) as { path: string }[];
    expect(sockets.toSorted(byPath)).toEqual(declared.toSorted(byPath));
  });

  it('contain every router', async () => {
    const mounted = new Set<unknown>(Object.values(appRouter._def.procedures));
    for (const [slice, exported] of await declaredIn('router.ts')) {
      const declared = exported.flatMap(proceduresIn);
      expect(declared, slice).not.toEqual([]);
      expect(
        declared.filter((procedure) => !mounted.has(procedure)),
        slice,
      ).toEqual([]);
    }
  });

  it('contain every error once, under one code', async () => {
    const tables = (await everyExport('errors.ts')).filter((table) =>
      Object.values(table as object).some((row) => typeof row === 'object'),
    );
    const codes = [...tables, PROTOCOL_ERRORS].flatMap((table) => Object.keys(table as object));
    expect(codes.toSorted()).toEqual(Object.keys(ERRORS).toSorted());
  });

  it('contain every tag, each with an operation', () => {
    const used = new Set([...procedures, ...rawRoutes].map(({ meta }) => meta.openapi.tags[0]));
    expect([...used].toSorted()).toEqual(Object.keys(TAGS).toSorted());
  });
});

describe('event types', () => {
  it.each([...eventTypes.values()])('$name is named resource.happened', ({ name, audience, permission }) => {
    expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/);
    expect(audience === 'organization').toBe(permission !== undefined);
  });

  it.each([...eventTypes.values()])(
    '$name is described, with an example of its data',
    ({ description, data, example }) => {
      expect(description).toMatch(/^[A-Z].*\.$/s);
      expect(data.safeParse(example).data).toEqual(example);
    },
  );
});
