import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createContext } from '../../src/context.ts';
import { restPath } from '../../src/contract/meta.ts';
import { toProblem } from '../../src/contract/problem.ts';
import { appRouter } from '../../src/router.ts';
import { startApp, type TestApp } from '../app.ts';
import { type Scenario, scenario } from './scenarios.ts';
import { buildWorld, type Caller, call, callRest, type Procedure, procedures, type World } from './world.ts';

/** The same call by tRPC's caller, tRPC over HTTP, REST and the SDK gives the same answer, and the same code where it fails. */
/** The SDK is written for browsers too: its types need a browser's, which nothing here has. */
const SDK: string = '../../../../sdk/client/src/index.ts';
const {
  RentApi,
  RentApiError,
}: {
  RentApi: new (options: object) => unknown;
  RentApiError: new (...args: never[]) => Error & { code: string };
} = await import(SDK);

const document = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'));
const operationOf = ({ method, path }: Procedure['meta']['openapi']) =>
  document.paths[restPath(path)][method.toLowerCase()];

let app: TestApp;
let world: World;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  world = await buildWorld(app);
});
afterAll(() => app.close());

type Surface = (procedure: Procedure, caller: Caller, input: unknown) => Promise<{ data?: unknown; code?: string }>;
type Callable = (input: unknown) => Promise<unknown>;

/** What stands at `users.me.get` in a client or a caller. */
function at(root: unknown, name: string): Callable {
  const path = name.split('.');
  const last = path.pop()!;
  const holder = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root) as Record<
    string,
    Callable
  >;
  return (input) => holder[last]!(input);
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
      host: undefined,
      ifMatch: undefined,
      idempotencyKey: undefined,
      origin: undefined,
      batched: false,
    });
    try {
      return { data: await at(appRouter.createCaller(ctx), name)(input) };
    } catch (error) {
      return { code: toProblem(error, '').code };
    }
  },
  async 'tRPC over HTTP'(procedure, caller, input) {
    const { body } = await call(app, procedure, caller, input);
    return body.error ? { code: body.error.data.problem.code } : { data: body.result.data };
  },
  async REST(procedure, caller, input) {
    const { meta } = procedure;
    const { status, headers, body } = await callRest(app, procedure, caller, input);
    if (status >= 400) return { code: body.code };
    expect(status).toBe(meta.rest?.status ?? 200);
    const declared: object = operationOf(meta.openapi).responses[status].headers;
    for (const name of ['ETag', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'])
      expect([name, headers.has(name)]).toEqual([name, name in declared]);
    return { data: body === '' ? undefined : body };
  },
  async SDK({ name }, caller, input) {
    const { authorization, 'x-api-key': apiKey, 'x-organization-id': organizationId } = caller;
    const client = new RentApi({
      baseUrl: app.url,
      maxRetries: 0,
      organizationId,
      ...(apiKey && { apiKey }),
      ...(authorization && { tokens: { accessToken: authorization.slice(7), refreshToken: 'none' } }),
    });
    try {
      return { data: await at(client, name)(input) };
    } catch (error) {
      if (!(error instanceof RentApiError)) throw error;
      return { code: error.code };
    }
  },
};

/** What differs from call to call: secrets made anew, times, and the ids of rows made anew. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([key, part]) => [key, shapeOf(part)]),
  );
};

async function onEverySurface(procedure: Procedure, next: () => Promise<Scenario>) {
  const answers: Record<string, { data?: unknown; code?: string }> = {};
  for (const [name, surface] of Object.entries(surfaces)) {
    const { caller, input } = await next();
    answers[name] = await surface(procedure, caller, input);
  }
  return answers;
}

describe.each(procedures)('$name', (procedure) => {
  it('answers alike', async () => {
    const once = await scenario(world, procedure);
    const fresh = async () => {
      if (procedure.type === 'query') return once;
      world = await buildWorld(app); // each surface changes a world of its own
      return scenario(world, procedure);
    };
    const answers = await onEverySurface(procedure, fresh);
    const seen = Object.values(answers).map((answer) =>
      procedure.type === 'query' && !/^system\./.test(procedure.name) ? answer : shapeOf(answer),
    );
    for (const answer of seen) expect(answer).toEqual(seen[0]);
    expect(Object.values(answers)[0]?.code).toBeUndefined();
  });

  it('fails alike', async () => {
    const isPublic = procedure.meta.access === 'public' || procedure.meta.access.startsWith('proof:');
    const takesInput = Object.keys((await scenario(world, procedure)).input ?? {}).length > 0;
    if (isPublic && !takesInput) return; // nothing can be wrong with it
    const { input } = await scenario(world, procedure);
    const bad = isPublic ? Object.fromEntries(Object.keys(input as object).map((field) => [field, ''])) : input;
    const answers = await onEverySurface(procedure, async () => ({ caller: {}, input: bad }));
    const code = isPublic ? 'invalid_input' : 'credentials_required';
    expect(answers).toEqual(Object.fromEntries(Object.keys(surfaces).map((name) => [name, { code }])));
  });
});
