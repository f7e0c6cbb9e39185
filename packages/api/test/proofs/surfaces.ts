import { readFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { createContext } from '@rentapi/api/context';
import { restPath } from '@rentapi/api/contract/meta';
import { toProblem } from '@rentapi/api/contract/problem';
import { appRouter } from '@rentapi/api/slices/router';
import { Cookies } from '@rentapi/api/wire/cookies';
import { expect } from 'vitest';
import type { TestApp } from '../app.ts';
import { type Caller, call, callRest, type Procedure } from './fixture.ts';

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

/** Answers without a body are shared components. */
const answerOf = (answer: { $ref?: string; headers: object }): { headers: object } =>
  answer.$ref ? document.components.responses[answer.$ref.split('/').at(-1)!] : answer;

export type Problem = Record<string, unknown>;
type Outcome = { data: unknown } | { problem: Problem };

export type Surface = (procedure: Procedure, caller: Caller, input: unknown) => Promise<Outcome>;
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

/** Every way to call the app, by its name. */
export const openSurfaces = (app: TestApp): Record<string, Surface> => ({
  async 'tRPC caller'({ name }, caller, input) {
    const req = new IncomingMessage(new Socket());
    const cookies = new Cookies(req, new ServerResponse(req));
    const ctx = createContext(
      app.ports,
      {
        requestId: 'caller',
        ip: '127.0.0.1',
        isLocal: () => true, // as the requests of the other surfaces
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
        caller: {},
      },
      cookies,
    );
    try {
      return { data: await at(appRouter.createCaller(ctx), name)(input) };
    } catch (error) {
      return { problem: { ...toProblem(error, { requestId: '', publicUrl: app.ports.env.PUBLIC_URL }) } };
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
    const declared: object = answerOf(operationOf(meta.openapi).responses[status]).headers;
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
});
