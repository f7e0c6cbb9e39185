import { readFileSync } from 'node:fs';
import { createContext } from '@rentapi/api/context';
import { restPath } from '@rentapi/api/contract/meta';
import { toProblem } from '@rentapi/api/contract/problem';
import { appRouter } from '@rentapi/api/slices/router';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import { FAILING_PROCEDURES, failuresOf, NOT_BY_ONE_CALL } from './failures.ts';
import { buildFixture, type Caller, call, callRest, type Fixture, type Procedure, procedures } from './fixture.ts';
import { SPECIAL_PROCEDURES, scenario } from './scenarios.ts';

/** The same call by tRPC's caller, tRPC over HTTP, REST and the SDK gives the same answer, and the same problem where it fails. */

/** The SDK is written for browsers too: its types need a browser's, which Node does not have. */
const SDK: string = '../../../../sdk/client/src/index.ts';
const {
  RentApi,
  RentApiError,
}: {
  RentApi: new (options: object) => unknown;
  RentApiError: new (...args: never[]) => Error & { problem: Problem };
} = await import(SDK);

const document = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'));
const operationOf = ({ method, path }: Procedure['meta']['openapi']) =>
  document.paths[restPath(path)][method.toLowerCase()];

type Problem = Record<string, unknown>;
type Outcome = { data: unknown } | { problem: Problem };

let app: TestApp;
let fixture: Fixture;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  fixture = await buildFixture(app);
});
afterAll(() => app.close());

type Surface = (procedure: Procedure, caller: Caller, input: unknown) => Promise<Outcome>;
type Callable = (...input: unknown[]) => Promise<unknown>;

/** The function at `users.me.get` in a client or a caller. */
function at(root: unknown, name: string): Callable {
  const path = name.split('.');
  const last = path.pop()!;
  const holder = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root) as Record<
    string,
    Callable
  >;
  return (...input) => holder[last]!(...input);
}

const surfaces: Record<string, Surface> = {
  async 'tRPC caller'({ name }, caller, input) {
    const ctx = createContext(app.ports, {
      requestId: 'caller',
      ip: '127.0.0.1',
      userAgent: null,
      authorization: caller['authorization'],
      apiKey: caller['x-api-key'],
      organizationId: caller['x-organization-id'],
      tenantId: undefined,
      host: undefined,
      ifMatch: caller['if-match'],
      ifNoneMatch: undefined,
      idempotencyKey: undefined,
      origin: undefined,
      batched: false,
    });
    try {
      return { data: await at(appRouter.createCaller(ctx), name)(input) };
    } catch (error) {
      return { problem: { ...toProblem(error, '') } };
    }
  },
  async 'tRPC over HTTP'(procedure, caller, input) {
    const { body } = await call(app, procedure, caller, input);
    return body.error ? { problem: body.error.data.problem } : { data: body.result.data };
  },
  async REST(procedure, caller, input) {
    const { meta } = procedure;
    const { status, headers, body } = await callRest(app, procedure, caller, input);
    if (status >= 400) return { problem: body };
    expect(status).toBe(meta.rest?.status ?? 200);
    const declared: object = operationOf(meta.openapi).responses[status].headers;
    for (const name of ['ETag', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'])
      expect([name, headers.has(name)]).toEqual([name, name in declared]);
    return { data: body === '' ? undefined : body };
  },
  async SDK({ name }, caller, input) {
    const { authorization, 'x-api-key': apiKey, 'x-organization-id': organizationId, 'if-match': ifMatch } = caller;
    const client = new RentApi({
      baseUrl: app.url,
      maxRetries: 0,
      ...(apiKey && { apiKey }),
      ...(authorization && { tokens: { accessToken: authorization.slice(7), refreshToken: 'none' } }),
    });
    try {
      return { data: await at(client, name)(input, { ifMatch, organizationId }) };
    } catch (error) {
      if (!(error instanceof RentApiError)) throw error;
      return { problem: error.problem };
    }
  },
};

/**
 * Users and organizations of a fixture by their part in it, so that two fixtures can be compared and a wrong one is
 * noticed.
 */
function partsOf({ members, organizationId, owner }: Fixture): Map<string, string> {
  const parts = new Map([[organizationId, 'the organization']]);
  for (const [role, person] of Object.entries(members)) {
    parts.set(person.id, `the ${role}`).set(person.email, `the mailbox of the ${role}`);
    parts.set(person.organizationId, `the home of the ${role}`);
  }
  return parts.set(owner.id, 'the OWNER');
}

const HOUR_MS = 3_600_000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Replaces what differs between any two calls: ids and addresses of new rows, times by their distance from now, random
 * text by its form. Everything else stays as it is.
 */
function comparable(value: unknown, parts: ReadonlyMap<string, string>, field = ''): unknown {
  if (Array.isArray(value)) return value.map((part) => comparable(part, parts, field));
  if (typeof value === 'number' && field === 'latencyMs') return 'some milliseconds';
  if (typeof value === 'string') {
    return (
      parts.get(value) ??
      (TIME.test(value)
        ? `${Math.round((Date.parse(value) - Date.now()) / HOUR_MS)} hours from now`
        : value
            .replace(/^([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}$/, 'a new $1')
            .replace(/^[\w-]+\.[\w-]+\.[\w-]{43}$/, 'a signed token')
            .replace(/^[\w-]{43}$/, '32 random bytes')
            .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'a uuid'))
    );
  }
  if (value === null || typeof value !== 'object') return value;
  const { secret } = value as { secret?: string };
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      // A new key's own secret: what is shown of it later must be part of it.
      if (secret && key === 'prefix') return [key, secret.startsWith(part)];
      if (secret && key === 'last4') return [key, secret.endsWith(part) && part.length === 4];
      // Where the name was taken, digits are added.
      if (key === 'slug' || key === 'subdomain') return [key, part?.replace(/-?\d{4}$/, '')];
      if (secret && key === 'secret') return [key, part.replace(/_[0-9A-Za-z]{30,}$/, '_ and random characters')];
      return [key, comparable(part, parts, key)];
    }),
  );
}

describe.each(procedures)('$name', (procedure) => {
  it('answers alike', async () => {
    const once = await scenario(fixture, procedure);
    const answers: Record<string, unknown> = {};
    for (const [name, surface] of Object.entries(surfaces)) {
      if (procedure.type === 'mutation') fixture = await buildFixture(app); // each surface changes a fixture of its own
      const { caller, input } = procedure.type === 'mutation' ? await scenario(fixture, procedure) : once;
      const answer = await surface(procedure, caller, input);
      if (!('data' in answer)) expect.fail(`${name}: ${JSON.stringify(answer.problem)}`);
      const mailbox = (input as { email?: string } | undefined)?.email;
      const parts = mailbox ? partsOf(fixture).set(mailbox, 'the given mailbox') : partsOf(fixture);
      // Reads of one fixture in one state are identical, except for times.
      const isSame = procedure.type === 'query' && !procedure.name.startsWith('system.');
      answers[name] = isSame ? answer.data : comparable(answer.data, parts);
    }
    const [first, ...others] = Object.values(answers);
    for (const other of others) expect(other).toEqual(first);
  });

  it.each(failuresOf(procedure))('fails alike with %s', async (code, failing) => {
    const { caller, input } = await failing(fixture);
    const answers: Record<string, Problem> = {};
    for (const [name, surface] of Object.entries(surfaces)) {
      const answer = await surface(procedure, caller, input);
      if (!('problem' in answer)) expect.fail(`${name} succeeded`);
      const { requestId, ...problem } = answer.problem;
      expect(typeof requestId).toBe('string');
      answers[name] = problem;
    }
    const [first, ...others] = Object.values(answers);
    expect(first).toMatchObject({ code });
    for (const other of others) expect(other).toEqual(first);
  });
});

it('provokes every code that a procedure declares', () => {
  const missing = procedures.flatMap((procedure) => {
    const provoked = new Set(failuresOf(procedure).map(([code]) => code));
    const declared = procedure.meta.errors ?? [];
    return declared
      .filter((code) => !provoked.has(code) && !NOT_BY_ONE_CALL.includes(code))
      .map((code) => `${procedure.name}: ${code}`);
  });
  expect(missing).toEqual([]);
  const names = new Set(procedures.map(({ name }) => name));
  expect([...FAILING_PROCEDURES, ...SPECIAL_PROCEDURES].filter((name) => !names.has(name))).toEqual([]);
});
