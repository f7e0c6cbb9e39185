import { readFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createCors, EXPOSED_HEADERS } from './cors.ts';

const ORIGIN = 'https://app.example.com';

/** The CORS headers that a request with these headers gets. */
function corsHeaders(headers: Record<string, string>, { method = 'GET', origins = [ORIGIN] } = {}) {
  const req = new IncomingMessage(new Socket());
  Object.assign(req, { method, headers });
  const res = new ServerResponse(req);
  const isPreflight = createCors(origins)(req, res);
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

  it('never allows cookies, so it can safely allow all headers', () => {
    for (const origins of [[ORIGIN], ['*']]) {
      const given = { origin: ORIGIN, 'access-control-request-method': 'GET' };
      const { res } = corsHeaders(given, { method: 'OPTIONS', origins });
      expect(res.getHeader('Access-Control-Allow-Credentials')).toBeUndefined();
    }
  });
});

describe('an answer', () => {
  it('exposes every header that the document names, and those of HTTP that matter', () => {
    const document = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'));
    const named = new Set(EXPOSED_HEADERS.map((name) => name.toLowerCase()));
    const needed = [...Object.keys(document.components.headers), 'Allow', 'WWW-Authenticate', 'Content-Disposition'];
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
