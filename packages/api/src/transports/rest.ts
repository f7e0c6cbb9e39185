import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyRouter } from '@trpc/server';
import { createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { isNotModified } from '../contract/etag.ts';
import { type ProblemSource, toApiError, toProblem } from '../contract/problem.ts';
import { reportFailure } from '../pipeline/observe.ts';
import { challengeOf, endAnswer, endJson, PROBLEM_TYPE, setWithheldHeaders } from '../wire/answer.ts';
import { readJsonBody } from '../wire/body.ts';
import { Cookies } from '../wire/cookies.ts';
import { assertText } from '../wire/json.ts';
import { noteError } from '../wire/observed.ts';
import type { RawRoute } from '../wire/raw-route.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';
import { assertQueryEncoded, malformedEncoding } from '../wire/request-target.ts';
import { createInvoke } from './invoke.ts';
import { serveRaw } from './raw.ts';
import { buildRoutes, type Coercion, findNode, type PathAliases, type Route } from './rest-routes.ts';

export interface RestOptions {
  router: AnyRouter;
  rawRoutes: readonly RawRoute[];
  pathAliases?: PathAliases;
  ports: Ports;
  clientAddress: ClientAddress;
}

type Handler = (req: IncomingMessage, res: ServerResponse, next: () => void) => Promise<void>;

/** Since when aliases are deprecated (RFC 9745): the first release. */
const ALIASES_DEPRECATED = '@1767225600';

/**
 * Serves every procedure of the router, and every raw route, over REST. Other paths that are not below `/api/v1` go to
 * `next`.
 */
export function createRestHandler({ router, rawRoutes, pathAliases, ports, clientAddress }: RestOptions): Handler {
  const root = buildRoutes(router, rawRoutes, pathAliases);
  const invoke = createInvoke(router);

  return async (req, res, next) => {
    const { pathname, search } = splitUrl(req.url ?? '/');
    const segments = pathname.slice(1).split('/');
    const trailingSlash = segments.length > 1 && segments.at(-1) === '';
    if (trailingSlash) segments.pop();
    const found = findNode(root, segments);
    if (!found && !(segments[0] === 'api' && segments[1] === 'v1')) return next();

    const call = readRequest(req, requestIdOf(req.headers), clientAddress(req));
    const ctx = createContext(ports, call, new Cookies(req, res));
    try {
      if (!found) throw new ApiError('operation_not_found');
      const route = pickRoute(found.node.routes!, req, ctx.responseHeaders);
      if (!route) return sendNothing(req, res, 204, ctx.responseHeaders);
      if (route.successor || trailingSlash)
        deprecate(ctx.responseHeaders, successorOf(route, found.params) ?? pathname.replace(/\/$/, ''));
      const reading = readInput(req, route, found.params, search, ports);
      const input = reading instanceof Promise ? await reading : reading;
      if (route.raw) {
        setWithheldHeaders(res);
        return await serveRaw(route.raw, ctx, input, { req, res });
      }
      const data = await invoke({
        path: route.procedure,
        type: route.type,
        ctx,
        getRawInput: async () => input,
        getSignal: () => abortedWith(res),
        batchIndex: 0,
      });
      if (route.type === 'query' && isNotModified(ctx)) return sendNothing(req, res, 304, ctx.responseHeaders);
      if (data === undefined) return sendNothing(req, res, route.status, ctx.responseHeaders);
      endJson(req, res, route.status, Object.assign(ctx.responseHeaders, JSON_HEADERS), data);
    } catch (error) {
      if (toApiError(error).status >= 500) reportFailure(ctx, error);
      const source = { requestId: call.requestId, publicUrl: ports.env.PUBLIC_URL };
      sendProblem(req, res, error, source, ctx.responseHeaders);
    }
  };
}

/** Null for OPTIONS, whose answer is only the `Allow` header. */
function pickRoute(routes: Map<string, Route>, req: IncomingMessage, reply: Record<string, string>): Route | null {
  const method = req.method === 'HEAD' ? 'GET' : req.method!;
  const route = routes.get(method);
  if (route) return route;
  reply['Allow'] = [...routes.keys(), ...(routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return null;
  throw new ApiError('method_not_allowed');
}

/** The path to call instead of an alias, with the caller's parameters filled in. */
function successorOf({ successor, params }: Route, given: string[]): string | undefined {
  return successor?.replace(/\{(\w+)\}/g, (_, name: string) => given[params.indexOf(name)]!);
}

function deprecate(reply: Record<string, string>, successor: string): void {
  reply['Deprecation'] = ALIASES_DEPRECATED;
  // A `>` in the path would end the link, and the caller could write another one after it.
  reply['Link'] = `<${successor.replace(/[<>"]/g, encodeURIComponent)}>; rel="successor-version"`;
}

/** One input from path, query and body. The path wins: a field of the same name elsewhere is refused as unknown. */
function readInput(req: IncomingMessage, route: Route, params: string[], search: string, ports: Ports): unknown {
  const input: Record<string, unknown> = {};
  readQuery(input, route, search);
  if (!route.hasBody) return readParams(input, route, params);
  return readBody(input, req, route, ports).then(() => readParams(input, route, params));
}

async function readBody(
  input: Record<string, unknown>,
  req: IncomingMessage,
  route: Route,
  { env, bodies: unfinished }: Ports,
): Promise<void> {
  const body = await readJsonBody(req, { limitBytes: env.BODY_LIMIT, unfinished });
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) {
    throw new ApiError('invalid_input', { errors: [{ path: '', message: 'the body must be a JSON object' }] });
  }
  for (const [key, value] of Object.entries(body ?? {})) assign(input, route, key, value);
}

function readParams(input: Record<string, unknown>, route: Route, params: string[]): unknown {
  route.params.forEach((name, at) => {
    if (Object.hasOwn(input, name)) throw unknownField(name);
    const text = decode(params[at]!);
    assertText(text, name);
    input[name] = coerce(route.fields.get(name) ?? 'text', text);
  });
  return input;
}

function readQuery(input: Record<string, unknown>, route: Route, search: string): void {
  if (!search || route.isProbe) return; // probes are sent with cache-busters
  assertQueryEncoded(search);
  const spellings = new Map<string, string>();
  for (const [key, text] of new URLSearchParams(search)) {
    assertText(key, '');
    assertText(text, key);
    const name = route.snakeCase.get(key) ?? key;
    const coercion = route.fields.get(name);
    if (!coercion && route.raw?.ignoresUnknownQuery) continue;
    if (route.hasBody || !coercion) throw unknownField(key);
    if (typeof coercion === 'object') {
      const list = (input[name] ??= []) as unknown[];
      list.push(coerce(coercion.listOf, text));
      const spelling = spellings.get(name) ?? key;
      if (spelling !== key) throw givenTwice(key, name);
      spellings.set(name, key);
    } else assign(input, route, key, coerce(coercion, text));
  }
}

/** Stores a field under its declared name; a field given twice, or in both spellings, is refused. */
function assign(input: Record<string, unknown>, route: Route, key: string, value: unknown): void {
  const name = route.snakeCase.get(key) ?? key;
  if (Object.hasOwn(input, name)) throw givenTwice(key, name);
  input[name] = value;
}

function givenTwice(path: string, name: string): ApiError {
  return new ApiError('invalid_input', { errors: [{ path, message: `is given twice: send only \`${name}\`` }] });
}

function coerce(coercion: Coercion, text: string): unknown {
  if (coercion === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (coercion === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text; // other text stays as it is, and the schema refuses it by name
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw malformedEncoding();
  }
}

function unknownField(path: string): ApiError {
  return new ApiError('invalid_input', { errors: [{ path, message: 'is not a field of this request' }] });
}

function splitUrl(url: string): { pathname: string; search: string } {
  const at = url.indexOf('?');
  return at < 0 ? { pathname: url, search: '' } : { pathname: url.slice(0, at), search: url.slice(at + 1) };
}

/** Aborts when the client has disconnected. */
export function abortedWith(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}

const JSON_HEADERS = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json; charset=utf-8' };

function sendNothing(req: IncomingMessage, res: ServerResponse, status: number, headers: Record<string, string>): void {
  setWithheldHeaders(res);
  res.statusCode = status;
  for (const name in headers) res.setHeader(name, headers[name]!);
  res.setHeader('Cache-Control', 'no-store');
  endAnswer(req, res);
}

/** Every error of every transport except tRPC's is sent by this function. */
export function sendProblem(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  source: ProblemSource,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) return void res.destroy();
  setWithheldHeaders(res);
  const known = toApiError(error);
  noteError(req, known);
  res.statusCode = known.status;
  for (const name in headers) res.setHeader(name, headers[name]!);
  res.setHeader('X-Request-Id', source.requestId);
  res.setHeader('Content-Type', PROBLEM_TYPE);
  res.setHeader('Cache-Control', 'no-store');
  if (known.status === 401) res.setHeader('WWW-Authenticate', challengeOf(known));
  if (known.retryAfterS !== undefined) res.setHeader('Retry-After', known.retryAfterS);
  endAnswer(req, res, JSON.stringify(toProblem(known, source)));
}
