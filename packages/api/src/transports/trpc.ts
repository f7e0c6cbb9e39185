import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyRouter, getTRPCErrorShape, type TRPCError } from '@trpc/server';
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http';
import { type Context, createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import { MAX_BATCH } from '../contract/request-caps.ts';
import { assertSourceHasRoom } from '../pipeline/limits.ts';
import { reportFailure } from '../pipeline/observe.ts';
import { challengeOf, endJson, setWithheldHeaders } from '../wire/answer.ts';
import { readJsonBody } from '../wire/body.ts';
import { lastingResponse } from '../wire/connection.ts';
import { Cookies } from '../wire/cookies.ts';
import { assertText, parseJson } from '../wire/json.ts';
import { noteError } from '../wire/observed.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';
import { assertQueryEncoded } from '../wire/request-target.ts';
import { createInvoke } from './invoke.ts';
import { abortedWith } from './rest.ts';
import { proceduresOf, subscriptionsOf } from './rest-routes.ts';
import { withUrlParams } from './trpc-connection-params.ts';

type Request = IncomingMessage & { body?: unknown };
type Result = { result: { data: unknown } } | { error: unknown };

/**
 * tRPC's wire protocol for queries and mutations, single and batched, directly on node:http: the stock adapter uses web
 * streams, which cost several times as much. Answers in parts are left to it: subscriptions, and streamed batches,
 * whose body is read and checked before.
 */
export function createTrpcHandler(options: { router: AnyRouter; ports: Ports; clientAddress: ClientAddress }) {
  const { router, ports, clientAddress } = options;
  const types = new Map<string, 'query' | 'mutation' | 'subscription'>([
    ...proceduresOf(router).map(([name, { type }]) => [name, type] as const),
    ...subscriptionsOf(router).map((name) => [name, 'subscription'] as const),
  ]);
  const config = router._def._config;
  const invoke = createInvoke(router);
  const bodyLimits = { limitBytes: ports.env.BODY_LIMIT, unfinished: ports.bodies };

  /** `path` is what follows `/trpc/`. */
  return async (req: Request, res: ServerResponse, path: string, search: string): Promise<void> => {
    const query = new URLSearchParams(search);
    const batched = query.get('batch') === '1';
    const names = batched ? path.split(',') : [path];
    const call = readRequest(req, requestIdOf(req.headers), clientAddress(req), batched && names.length > 1);
    const ctx = createContext(ports, call, new Cookies(req, res));
    const errors: ApiError[] = [];

    const asFailure = (cause: unknown, name: string, input: unknown): Result => {
      const error = toApiError(cause);
      errors.push(error);
      noteError(req, error);
      if (error.status >= 500) reportFailure(ctx, cause);
      const type = types.get(name) ?? 'unknown';
      return { error: getTRPCErrorShape({ config, ctx, error: error as TRPCError, input, path: name, type }) };
    };

    if (req.method === 'HEAD') {
      setWithheldHeaders(res);
      return void res.writeHead(204).end(); // a ping
    }
    if (names.length > MAX_BATCH) {
      const refused = asFailure(new ApiError('batch_too_large'), '', undefined);
      return sendAnswer(req, res, ctx, refused, statusOf([refused], errors), errors);
    }
    let answers: Result[];
    try {
      assertQueryEncoded(search);
      if (req.method === 'GET' && !batched && types.get(path) === 'subscription') {
        return await subscribe(req, res, path, query, ctx);
      }
      const raw = req.method === 'GET' ? parseQuery(query, 'input') : await readJsonBody(req, bodyLimits);
      if (isStreamed(req)) return await stock(req, res, path, raw, ctx);
      const inputs = batched ? asBatch(raw) : [raw];
      answers = await Promise.all(
        names.map(async (name, at): Promise<Result> => {
          const input = inputs[at];
          try {
            const type = expectedType(types.get(name), req.method!, ctx.responseHeaders);
            // Every call of a batch has a context of its own, as if it had come alone; the answer's headers are shared.
            const data = await invoke({
              path: name,
              type,
              ctx: batched ? { ...ctx } : ctx,
              getRawInput: async () => input,
              getSignal: () => abortedWith(res),
              batchIndex: at,
            });
            return { result: { data } };
          } catch (error) {
            return asFailure(error, name, input);
          }
        }),
      );
    } catch (error) {
      answers = names.map((name) => asFailure(error, name, undefined));
    }
    sendAnswer(req, res, ctx, batched ? answers : answers[0]!, statusOf(answers, errors), errors);
  };

  /** Server-sent events (`httpSubscriptionLink`). Faults of the request are answered before a stream begins. */
  async function subscribe(
    req: Request,
    res: ServerResponse,
    path: string,
    query: URLSearchParams,
    ctx: Context,
  ): Promise<void> {
    parseQuery(query, 'input');
    assertText(query.get('lastEventId') ?? '', 'lastEventId');
    const params = parseQuery(query, 'connectionParams');
    const request = withUrlParams(ctx, params);
    await stock(req, res, path, undefined, { ...ctx, request, connection: lastingResponse(res) });
  }

  async function stock(req: Request, res: ServerResponse, path: string, body: unknown, ctx: Context): Promise<void> {
    req.body = body;
    setWithheldHeaders(res);
    for (const name in ctx.responseHeaders) res.setHeader(name, ctx.responseHeaders[name]!);
    res.setHeader('Cache-Control', 'no-store');
    // The stock handler replaces headers that are already set, and adds these to its own.
    const streamHeaders = new Headers({ 'Cache-Control': 'no-store' });
    const { origin } = ctx.request;
    // The key is read after the headers are sent, so any active key of the origin counts.
    const isUnnamed = origin !== undefined && !res.hasHeader('Access-Control-Allow-Origin');
    if (isUnnamed && (await ports.origins.isOfKey(origin, () => assertSourceHasRoom(ctx)))) {
      res.setHeader('Access-Control-Allow-Origin', origin);
    }
    for (const varies of [res.getHeader('Vary') ?? []].flat()) streamHeaders.append('Vary', String(varies));
    await nodeHTTPRequestHandler({
      router,
      req,
      res,
      path,
      createContext: (): Context => ({ ...ctx, cookies: null }), // the headers are sent before the first answer
      maxBatchSize: MAX_BATCH,
      responseMeta: () => ({ headers: streamHeaders }),
    } as Parameters<typeof nodeHTTPRequestHandler>[0]);
  }
}

/** `httpBatchStreamLink` requests it in one of two headers. */
function isStreamed({ headers }: IncomingMessage): boolean {
  if (headers['trpc-accept'] !== undefined) return headers['trpc-accept'] === 'application/jsonl';
  return Boolean(headers.accept?.split(',').some((type) => type.trim() === 'application/jsonl'));
}

/** A 405 names the right method in `Allow`. */
function expectedType(
  type: 'query' | 'mutation' | 'subscription' | undefined,
  method: string,
  reply: Record<string, string>,
): 'query' | 'mutation' {
  if (type === undefined) throw new ApiError('operation_not_found');
  const expected = type === 'mutation' ? 'POST' : 'GET';
  if (type !== 'subscription' && method === expected) return type;
  reply['Allow'] = expected;
  throw new ApiError('method_not_allowed');
}

function parseQuery(query: URLSearchParams, name: string): unknown {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  return parseJson(text, `Send the parameter \`${name}\` as one JSON value, percent-encoded.`);
}

function asBatch(raw: unknown): Record<number, unknown> {
  if (raw === undefined) return {};
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Record<number, unknown>;
  throw new ApiError('invalid_input', {
    errors: [{ path: '', message: 'the input of a batch must be an object with the number of each call' }],
  });
}

/** One status for the whole answer; 207 where the calls of a batch differ. */
function statusOf(answers: Result[], errors: ApiError[]): number {
  const statuses = new Set<number>(errors.map((error) => error.status));
  if (answers.some((each) => 'result' in each)) statuses.add(200);
  return statuses.size === 1 ? [...statuses][0]! : 207;
}

function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  ctx: Context,
  body: unknown,
  status: number,
  errors: ApiError[],
): void {
  const { responseHeaders } = ctx;
  const refused = errors.find((error) => error.status === 401);
  if (refused && status === 401) responseHeaders['WWW-Authenticate'] = challengeOf(refused);
  const waits = errors.map((error) => error.retryAfterS).filter((wait) => wait !== undefined);
  if (waits.length > 0) responseHeaders['Retry-After'] = String(Math.max(...waits));
  endJson(req, res, status, Object.assign(responseHeaders, JSON_HEADERS), body);
}

const JSON_HEADERS = { 'Content-Type': 'application/json', Vary: 'trpc-accept, accept', 'Cache-Control': 'no-store' };
