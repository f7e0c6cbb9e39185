import { readFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { restPath } from '@rentapi/api/contract/meta';
import { PATH_ALIASES, rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { findCookieOperations } from '@rentapi/api/transports/cookie-operations';
import { operationsOf } from '@rentapi/api/transports/rest-routes';
import { setWithheldHeaders, withholdHeaders } from '@rentapi/api/wire/answer';
import { describe, expect, it } from 'vitest';
import { createCors, EXPOSED_HEADERS } from './cors.ts';

const ORIGIN = 'https://app.example.com';
const carriesCookies = findCookieOperations(appRouter, rawRoutes, PATH_ALIASES);

/** The CORS headers that a request with these headers gets. */
function corsHeaders(headers: Record<string, string>, { method = 'GET', origins = [ORIGIN], url = '/' } = {}) {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method, headers, url });
  const res = new ServerResponse(req);
  const admitsPreflight = async () => false;
  const sendFailure = () => {};
  const cors = createCors(origins, { carriesCookies, admitsPreflight, sendFailure });
  withholdHeaders(res, cors.headersOf(req));
  const isPreflight = cors.answersPreflight(req, res);
  setWithheldHeaders(res);
  return { isPreflight, res };
}

const preflight = (requested: string, origins = [ORIGIN]) =>
  corsHeaders(
    { origin: ORIGIN, 'access-control-request-method': 'GET', 'access-control-request-headers': requested },
    { method: 'OPTIONS', origins },
  ).res.getHeader('Access-Control-Allow-Headers');

describe('a preflight', () => {
  it.each([
    'traceparent',
    'sentry-trace,baggage',
    'tracestate',
    'x-trpc-source',
    'x-requested-with',
    'if-none-match',
    'last-event-id',
    'authorization, content-type, idempotency-key, x-api-key',
    'x-datadog-trace-id,x-b3-traceid',
    Array(50).fill('x-a').join(','),
  ])('may ask for %s', (requested) => {
    for (const origins of [[ORIGIN], ['*']]) expect(preflight(requested, origins)).toBe(requested);
  });

  it.each([
    ['more than 50 names', Array(51).fill('x-a').join(',')],
    ['2,001 characters', Array(25).fill('x'.repeat(81)).join(',')],
    ['a name of 101 characters', 'x'.repeat(101)],
    ['what is no name', 'traceparent, a b'],
    ['an empty name', 'traceparent,,baggage'],
    ['a line break', 'traceparent\r\nset-cookie: a=b'],
  ])('is not repeated where it has %s', (_what, requested) => {
    expect(preflight(requested)).toBeUndefined();
  });

  const operations = operationsOf(appRouter, rawRoutes).map(({ name, meta, raw }) => ({
    name,
    cookie: meta.cookie !== undefined,
    targets: [
      [meta.openapi.method, restPath(meta.openapi.path).replace(/\{\w+\}/g, 'x')],
      [meta.openapi.method, `${restPath(meta.openapi.path).replace(/\{\w+\}/g, 'x')}/`],
      ...(raw ? [] : [[meta.openapi.method === 'GET' ? 'GET' : 'POST', `/trpc/${name}`]]),
    ],
  }));

  it.each(operations)('allows cookies to $name: $cookie, for origins that are named only', ({ cookie, targets }) => {
    for (const [method, url] of targets) {
      const allowed = (origins: string[], origin = ORIGIN) => {
        const headers = { origin, 'access-control-request-method': method! };
        const asked = [corsHeaders(headers, { method: 'OPTIONS', origins, url: url! })];
        asked.push(corsHeaders({ origin }, { method: method!, origins, url: url! }));
        return asked.map(({ res }) => res.getHeader('Access-Control-Allow-Credentials'));
      };
      expect([url, allowed([ORIGIN])]).toEqual([url, cookie ? ['true', 'true'] : [undefined, undefined]]);
      expect(allowed(['*', ORIGIN])).toEqual(cookie ? ['true', 'true'] : [undefined, undefined]);
      expect(allowed(['*'])).toEqual([undefined, undefined]);
      expect(allowed(['*', ORIGIN], 'https://evil.example')).toEqual([undefined, undefined]);
    }
  });

  it('allows cookies to a batch whose calls all carry some', () => {
    const allowed = (url: string) =>
      corsHeaders({ origin: ORIGIN }, { method: 'POST', url }).res.getHeader('Access-Control-Allow-Credentials');
    expect(allowed('/trpc/auth.login,auth.refresh?batch=1')).toBe('true');
    expect(allowed('/trpc/auth.login%2Cauth.refresh?batch=1')).toBe('true');
    expect(allowed('/trpc/auth.login,apiKeys.create?batch=1')).toBeUndefined();
    expect(allowed('/trpc/%ff,auth.login')).toBeUndefined();
  });
});

describe('an answer', () => {
  it('exposes every header that the document names, and those of HTTP that matter', () => {
    const document = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'));
    const named = new Set(EXPOSED_HEADERS.map((name) => name.toLowerCase()));
    // Browsers hide cookies from every page.
    const documented = Object.keys(document.components.headers).filter((name) => name !== 'Set-Cookie');
    const needed = [...documented, 'Allow', 'WWW-Authenticate', 'Content-Disposition'];
    for (const name of needed) expect([name, named.has(name.toLowerCase())]).toEqual([name, true]);
    const exposed = corsHeaders({ origin: ORIGIN }).res.getHeader('Access-Control-Expose-Headers');
    expect(exposed).toBe(EXPOSED_HEADERS.join(','));
  });

  it('varies by origin where origins differ, also when none is named', () => {
    expect(corsHeaders({ origin: ORIGIN }).res.getHeader('Vary')).toBe('Origin');
    expect(corsHeaders({ origin: 'https://evil.example' }).res.getHeader('Vary')).toBe('Origin');
    expect(corsHeaders({}).res.getHeader('Vary')).toBe('Origin');
    expect(corsHeaders({}, { origins: ['*'] }).res.getHeader('Vary')).toBeUndefined();
    expect(corsHeaders({}, { origins: [] }).res.getHeader('Vary')).toBeUndefined();
  });
});
