import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createContext } from '@rentapi/api/context';
import { ApiError } from '@rentapi/api/contract/errors';
import type { ProcedureMeta } from '@rentapi/api/contract/meta';
import { procedure, router } from '@rentapi/api/procedure';
import { createTrpcHandler } from '@rentapi/api/transports/trpc';
import { readRequest, requestIdOf } from '@rentapi/api/wire/request';
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startApp, type TestApp } from './app.ts';

/**
 * Our own path compared with tRPC's own adapter: the same router, the same requests, and the same answers, except for
 * the differences that are listed here with their reason. A difference that disappears fails too, so that the list
 * stays true.
 */
const DIFFERENCES = {
  'malformed JSON is named': 'stock says invalid input; we tell the caller that it was not JSON at all',
  'harmful JSON is refused':
    'keys that mean something to JavaScript, NUL, unpaired surrogates and great depth end here',
  'UTF-8 is checked': 'stock replaces what is no UTF-8, and stores text that was never sent',
  'no content encoding': 'a compressed body is refused by name, not taken for broken JSON',
  'no body, no content type': 'a POST that sends nothing has nothing to name the type of',
  'JSON by any name': 'REST and tRPC take the same types: application/*+json too',
  'files travel over REST': 'no FormData and no octet streams: 415 for every other type',
  'GET has no content type': 'a GET has no body, so what it says of one does not matter',
  'each call by itself':
    'stock refuses a batch that mixes queries and mutations; we refuse those that came by the wrong method',
  'paths that are no text': 'a malformed escape names no procedure: 404',
  'a batch of twenty': 'stock knows the limit too, but names it invalid input',
  'what is wrong is said': 'how large a body may be, and what the input of a batch must be',
  'a refused type has a request': 'stock refuses the type before it knows of a request id and a path',
} as const;
type Difference = keyof typeof DIFFERENCES;

type PublicMeta = ProcedureMeta & { access: 'public' };
const say = (method: 'GET' | 'POST', path: `/${string}`): PublicMeta => ({
  access: 'public',
  openapi: { method, path, tags: ['Health'], summary: 'Health', description: 'For the test.' },
  example: {},
});
const Thing = z.strictObject({ text: z.string().max(100), count: z.int().optional() });
const open = (meta: PublicMeta) => procedure(meta);

const testRouter = router({
  echo: open(say('GET', '/echo'))
    .input(Thing)
    .output(Thing)
    .query(({ input }) => input),
  maybe: open(say('GET', '/maybe'))
    .input(Thing.optional())
    .query(({ input }) => input ?? null),
  nothing: open(say('GET', '/nothing')).query(() => undefined),
  any: open(say('GET', '/any'))
    .input(z.unknown())
    .query(({ input }) => ({ input })),
  when: open(say('GET', '/when')).query(() => new Date(0)),
  deep: router({ er: router({ down: open(say('GET', '/deep')).query(() => 'here') }) }),
  change: open(say('POST', '/change'))
    .input(Thing)
    .mutation(({ input }) => ({ changed: input })),
  touch: open(say('POST', '/touch')).mutation(() => 'touched'),
  missing: open(say('GET', '/missing')).query(() => {
    throw new ApiError('not_found');
  }),
  taken: open(say('POST', '/taken')).mutation(() => {
    throw new ApiError('username_taken');
  }),
  broken: open(say('GET', '/broken')).query(() => {
    throw new Error('secret of the house');
  }),
  wrong: open(say('GET', '/wrong'))
    .output(z.string())
    .query(() => 7 as unknown as string),
  ticks: open(say('GET', '/ticks'))
    .input(z.object({ to: z.int(), lastEventId: z.string().optional() }))
    .subscription(async function* ({ input }) {
      for (let at = 1; at <= input.to; at++) yield at;
    }),
});

let app: TestApp;
let ours: Server;
let stock: Server;

beforeAll(async () => {
  app = await startApp({ BODY_LIMIT: '2kb' });
  const { ports } = app;
  const clientAddress = () => '127.0.0.1';
  const trpc = createTrpcHandler({ router: testRouter, ports, clientAddress });
  ours = createServer((req, res) => {
    const [path = '', search = ''] = req.url!.slice(1).split('?');
    void trpc(req, res, decode(path), search);
  });
  stock = createServer((req, res) => {
    void nodeHTTPRequestHandler({
      router: testRouter,
      req,
      res,
      path: req.url!.slice(1).split('?')[0]!,
      maxBatchSize: 20,
      maxBodySize: ports.env.BODY_LIMIT,
      createContext: () => createContext(ports, readRequest(req, requestIdOf(req.headers), clientAddress())),
    });
  });
  for (const server of [ours, stock]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const server of [ours, stock]) server.close();
  await app.close();
});

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

interface Got {
  status: number;
  type: string | undefined;
  vary: string | undefined;
  allow: string | undefined;
  body: unknown;
}

/** With a plain client, because `fetch` would correct some of what is sent. */
function send(server: Server, { method = 'GET', path, headers = {}, body }: Sent): Promise<Got> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const req = request(
      { port, method, path: `/${path}`, headers: { 'x-request-id': 'same', ...headers }, agent: false },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const { 'content-type': type, vary, allow } = res.headers;
          resolve({ status: res.statusCode!, type, vary, allow, body: parse(Buffer.concat(chunks).toString()) });
        });
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const get = (procedures: string, input?: unknown, more = ''): Sent => ({
  path: `${procedures}${input === undefined ? '?' : `?input=${encodeURIComponent(JSON.stringify(input))}`}${more}`,
});
const post = (procedures: string, input?: unknown, headers: Record<string, string> = JSON_TYPE): Sent => ({
  method: 'POST',
  path: procedures,
  headers,
  ...(input !== undefined && { body: JSON.stringify(input) }),
});
const raw = (procedures: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE): Sent => ({
  method: 'POST',
  path: procedures,
  headers,
  body,
});
const batch = (names: string[], inputs: unknown = {}) => get(names.join(','), inputs, '&batch=1');
const postBatch = (names: string[], inputs: unknown = {}) => post(`${names.join(',')}?batch=1`, inputs);
const streamed = (sent: Sent): Sent => ({ ...sent, headers: { ...sent.headers, 'trpc-accept': 'application/jsonl' } });
const thing = { text: 'a' };
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const QUERIES = ['echo', 'maybe', 'nothing', 'any', 'when', 'deep.er.down', 'missing', 'broken', 'wrong'];
const MUTATIONS = ['change', 'touch', 'taken'];
const NAMES = [...QUERIES, ...MUTATIONS];
const OBJECTS: unknown[] = [undefined, {}, { 0: thing }, { 0: null, 1: 1 }];
const INPUTS: unknown[] = [
  undefined,
  null,
  thing,
  { text: 'a', count: 1 },
  { text: 1 },
  { other: 1 },
  [],
  'text',
  7,
  true,
];

const same: [string, Sent][] = [
  ...QUERIES.map((name): [string, Sent] => [`a query, ${name}`, get(name, thing)]),
  ...MUTATIONS.map((name): [string, Sent] => [`a mutation, ${name}`, post(name, thing)]),
  ...NAMES.map((name): [string, Sent] => [`${name} with nothing`, QUERIES.includes(name) ? get(name) : post(name)]),
  ...INPUTS.map((input): [string, Sent] => [`echo of ${JSON.stringify(input)}`, get('echo', input)]),
  ...INPUTS.map((input): [string, Sent] => [`any of ${JSON.stringify(input)}`, get('any', input)]),
  ...INPUTS.map((input): [string, Sent] => [`change of ${JSON.stringify(input)}`, post('change', input)]),
  ...OBJECTS.map((input): [string, Sent] => [`a batch whose input is ${JSON.stringify(input)}`, batch(['any'], input)]),
  ...INPUTS.map((input): [string, Sent] => [
    `a batch of ${JSON.stringify(input)}`,
    batch(['any', 'any'], { 0: input, 1: 1 }),
  ]),
  ...INPUTS.map((input): [string, Sent] => [
    `a posted batch of ${JSON.stringify(input)}`,
    postBatch(['change', 'touch'], { 0: input }),
  ]),
  ...QUERIES.map((name): [string, Sent] => [`POST to ${name}`, post(name, thing)]),
  ...MUTATIONS.map((name): [string, Sent] => [`GET of ${name}`, get(name, thing)]),
  ...['PUT', 'PATCH', 'DELETE'].map((method): [string, Sent] => [
    `${method} of a query`,
    { ...post('echo', thing), method },
  ]),
  ...['PUT', 'PATCH', 'DELETE'].map((method): [string, Sent] => [
    `${method} of a mutation`,
    { ...post('change', thing), method },
  ]),
  ...['PUT', 'DELETE'].map((method): [string, Sent] => [
    `${method} of nothing we know`,
    { ...post('unknown', thing), method },
  ]),
  ...NAMES.slice(0, 4).map((name): [string, Sent] => [`HEAD of ${name}`, { method: 'HEAD', path: name }]),
  ['HEAD of nothing we know', { method: 'HEAD', path: 'unknown' }],
  ['method override, which is off', post('echo?_method=GET', thing)],
  ['an unknown procedure', get('unknown')],
  ['an unknown mutation', post('unknown', thing)],
  ['a procedure of Object', get('toString')],
  ['an inherited property as procedure', get('__proto__')],
  ['a router instead of a procedure', get('deep.er')],
  ['no name', get('')],
  ['a name with slashes', get('deep/er/down')],
  ['a name in escapes', get('%65cho', thing)],
  ['a name with a dot too many', get('echo.')],
  ['an empty input', { path: 'any?input=' }],
  ['two inputs', { path: 'any?input=1&input=2' }],
  ['other parameters', { path: 'any?input=1&other=2' }],
  ['a batch of one', batch(['echo'], { 0: thing })],
  ['a batch of two', batch(['echo', 'when'], { 0: thing })],
  ['a batch of everything that succeeds', batch(['echo', 'maybe', 'any', 'when', 'deep.er.down'], { 0: thing })],
  ['a batch of everything that fails', batch(['missing', 'broken', 'wrong', 'unknown'])],
  ['a batch with one failure', batch(['when', 'missing'])],
  ['a batch with equal failures', batch(['missing', 'missing'])],
  ['a batch of unknown ones', batch(['unknown', 'unknown.too'])],
  ['a batch with an empty name', batch(['when', ''])],
  ['a batch of twenty', batch(times(20, 'when'))],
  ['a batch whose inputs have other numbers', batch(['any', 'any'], { 1: 1, 7: 2, x: 3 })],
  ['a batch of mutations', postBatch(['change', 'touch', 'taken'], { 0: thing })],
  ['a batch of mutations with a bad one', postBatch(['change', 'change'], { 0: thing, 1: {} })],
  ['a batch of mutations over GET', batch(['change', 'touch'], { 0: thing })],
  ['a batch of queries over POST', postBatch(['echo', 'when'], { 0: thing })],
  ['commas without batch', get('when,when')],
  ['batch=0', get('when', undefined, '&batch=0')],
  ['batch=true', get('when', undefined, '&batch=true')],
  ['a content type with a charset', post('change', thing, { 'content-type': 'application/json; charset=utf-8' })],
  ['a content type in capitals', post('change', thing, { 'content-type': 'Application/JSON' })],
  ['an empty body', raw('touch', '')],
  ['an empty body where something is needed', raw('change', '')],
  ['spaces around JSON', raw('change', ` ${JSON.stringify(thing)}\n`)],
  [
    'a byte order mark',
    raw('change', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(thing))])),
  ],
  ['accept: json', { ...get('when'), headers: { accept: 'application/json' } }],
  ['accept: something else', { ...get('when'), headers: { accept: 'text/html' } }],
  ['trpc-accept: something else', { ...get('when'), headers: { 'trpc-accept': 'text/html' } }],
  ['a streamed batch of one', streamed(batch(['when']))],
  ['a streamed batch', streamed(batch(['echo', 'when', 'any'], { 0: thing, 2: 1 }))],
  ['a streamed batch that fails', streamed(batch(['missing', 'broken', 'unknown']))],
  ['a streamed batch of both', streamed(batch(['when', 'missing']))],
  ['a streamed batch of mutations', streamed(postBatch(['change', 'touch'], { 0: thing }))],
  ['a streamed batch of mutations over GET', streamed(batch(['change']))],
  ['a stream that is no batch', streamed(get('when'))],
  ['a stream asked for in Accept', { ...batch(['when']), headers: { accept: 'application/jsonl' } }],
  ['a stream asked for among others', { ...batch(['when']), headers: { accept: 'text/html, application/jsonl' } }],
  ['a stream asked for with a weight', { ...batch(['when']), headers: { accept: 'application/jsonl;q=1' } }],
  ['a subscription', get('ticks', { to: 3 })],
  ['a subscription to nothing', get('ticks', { to: 0 })],
  ['a subscription with a bad input', get('ticks', { to: 'x' })],
  ['a subscription with a place', get('ticks', { to: 1 }, '&lastEventId=5')],
];

const different: [Difference, string, Sent][] = [
  ['malformed JSON is named', 'a body', raw('change', '{"text":')],
  ['malformed JSON is named', 'an input', { path: 'echo?input={' }],
  ['malformed JSON is named', 'a batch', raw('change,touch?batch=1', 'nonsense')],
  ['malformed JSON is named', 'a body over POST of a query', raw('echo', '{')],
  ['harmful JSON is refused', 'a prototype', { path: `any?input=${encodeURIComponent('{"__proto__":{}}')}` }],
  ['harmful JSON is refused', 'a NUL', post('change', { text: 'a\0' })],
  ['harmful JSON is refused', 'half a character', get('any', 'a\ud800')],
  ['harmful JSON is refused', 'depth', get('any', JSON.parse('['.repeat(40) + ']'.repeat(40)))],
  ['UTF-8 is checked', 'a byte', raw('change', Buffer.from('{"text":"\xff"}', 'latin1'))],
  ['no content encoding', 'gzip', post('change', thing, { ...JSON_TYPE, 'content-encoding': 'gzip' })],
  ['no body, no content type', 'nothing at all', { method: 'POST', path: 'touch' }],
  ['JSON by any name', 'a vendor', post('change', thing, { 'content-type': 'application/vnd.api+json' })],
  ['files travel over REST', 'a file', raw('change', 'x', { 'content-type': 'application/octet-stream' })],
  ['files travel over REST', 'a form', raw('change', '--b--', { 'content-type': 'multipart/form-data; boundary=b' })],
  [
    'GET has no content type',
    'a form',
    { ...get('when'), headers: { 'content-type': 'multipart/form-data; boundary=b' } },
  ],
  ['each call by itself', 'over GET', batch(['when', 'touch'])],
  ['each call by itself', 'over POST', postBatch(['when', 'touch'])],
  ['paths that are no text', 'half an escape', get('%E0%A4%A')],
  ['a batch of twenty', 'of twenty-one', batch(times(21, 'when'))],
  ['what is wrong is said', 'a body over the limit', raw('change', JSON.stringify({ text: 'x'.repeat(3000) }))],
  ...[null, [], 'text', 7, true].map((input): [Difference, string, Sent] => [
    'what is wrong is said',
    `a batch whose input is ${JSON.stringify(input)}`,
    batch(['any'], input),
  ]),
  ...['text/plain', 'application/x-www-form-urlencoded', 'json', 'application/jsonp'].map(
    (type): [Difference, string, Sent] => [
      'a refused type has a request',
      type,
      post('change', thing, { 'content-type': type }),
    ],
  ),
  ['a refused type has a request', 'no type', raw('change', JSON.stringify(thing), {})],
];

describe('the same as the stock adapter', () => {
  it.each(same)('%s', async (_, sent) => {
    const [expected, got] = [await send(stock, sent), await send(ours, sent)];
    expect(got).toEqual(expected);
  });

  it('is tested often enough', () => {
    expect(same.length + different.length).toBeGreaterThan(150);
  });
});

describe('different, for a reason', () => {
  it.each(different)('%s: %s', async (_, __, sent) => {
    const [expected, got] = [await send(stock, sent), await send(ours, sent)];
    expect(got).not.toEqual(expected);
    expect(got.status).toBeLessThan(500);
    expect(got.type).toBe('application/json');
    for (const answer of Array.isArray(got.body) ? got.body : [got.body]) {
      expect(answer).toSatisfy((each: object) => 'result' in each || 'error' in each);
    }
  });

  it('has a case for each', () => {
    expect([...new Set(different.map(([name]) => name))].sort()).toEqual(Object.keys(DIFFERENCES).sort());
  });
});
