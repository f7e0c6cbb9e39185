import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { html } from '@rentapi/platform/html';
import type { CapturedMail, Mailbox } from '@rentapi/platform/mail';
import type express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { contract, startPages } from '../../test/pages-server.ts';
import { ASYNCAPI_FILE, OPENAPI_FILE } from '../files.ts';
import type { PagesOptions } from './pages.ts';

/** Newest first. */
const mails: CapturedMail[] = [
  {
    id: 'newer',
    messageId: 'newer@example.com',
    to: 'bob@example.com',
    subject: '"><script>alert(1)</script>',
    text: 'javascript:alert(1)',
    html: '',
    sentAt: '2025-01-02T10:00:00.000Z',
  },
  {
    id: 'older',
    messageId: 'older@example.com',
    to: 'ann@example.com',
    subject: 'Confirm',
    text: 'Open https://api.example.com/verify-email?token=t0ken.\n<b>Thanks</b>',
    html: '<p style="color: red">Open</p>',
    sentAt: '2025-01-01T10:00:00.000Z',
  },
];
const mailbox: Mailbox = {
  list: async (filter) => mails.filter((mail) => filter?.to === undefined || mail.to === filter.to),
  get: async (id) => mails.find((mail) => mail.id === id),
};

const posted: string[] = [];
const close: (() => void)[] = [];

async function serve(options: Partial<PagesOptions> = {}): Promise<string> {
  const observe: express.RequestHandler = (req, _res, next) => {
    const remote = req.get('x-test-remote');
    delete req.headers['x-test-remote']; // an address in the form that a proxy sends
    Object.defineProperty(req.socket, 'remoteAddress', { value: remote ?? '127.0.0.1', configurable: true });
    if (req.method === 'POST') posted.push(req.path);
    next();
  };
  const pages = await startPages({ mailbox, publicUrl: 'https://api.example.com', ...options }, [observe]);
  close.push(pages.close);
  return pages.url;
}

let origin = '';
beforeAll(async () => {
  origin = await serve();
});
afterAll(() => {
  for (const stop of close) stop();
});
const get = (path: string, headers: Record<string, string> = {}) => fetch(origin + path, { headers });
const text = async (path: string) => (await get(path)).text();
const assetsIn = (page: string) => [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '');

describe('html', () => {
  it('escapes text and quoted attributes, and keeps what is already HTML', () => {
    const nasty = `<a href="x" title='y'>&`;
    const escaped = '&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;';
    expect(html`<p title="${nasty}">${nasty}${html`<b>${1}</b>`}${[html`<i></i>`, '<']}${null}${false}</p>`.text).toBe(
      `<p title="${escaped}">${escaped}<b>1</b><i></i>&#60;</p>`,
    );
  });
});

describe('every page', () => {
  const paths = ['/', '/docs', '/redoc', '/docs/errors', '/docs/errors/not_found', '/dev/mail', '/dev/mail/older'];
  const links = [
    '/verify-email',
    '/accept-invitation',
    '/reset-password',
    '/confirm-email-change',
    '/undo-email-change',
    '/keep-two-factor',
    '/unlock',
    '/download-export',
    '/forgot-password',
    '/resend-verification',
    '/register',
  ];

  it.each([...paths, ...links])('%s has no inline script and loads nothing from elsewhere', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self';");
    const page = await response.text();
    expect(page).not.toMatch(/<script(?![^>]* src="\/assets\/)|<[^>]+ on\w+=|(src|link [^>]*href)="(https?:)?\/\//);
    for (const asset of assetsIn(page)) expect((await get(asset)).status).toBe(200);
  });

  it('keeps its assets for ever, under names that change with them', async () => {
    const [asset = ''] = assetsIn(await text('/docs')).filter((name) => name.includes('scalar'));
    expect(asset).toMatch(/^\/assets\/scalar-\d+\.\d+\.\d+\.js$/);
    const response = await get(asset);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const plain = await get(asset, { 'Accept-Encoding': 'identity' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(await response.text());
    expect((await get('/assets/pages.css')).status).toBe(404);
    expect((await get('/assets/..%2Fpages.ts')).status).toBe(404);
  });

  it('is light or dark as the reader prefers', async () => {
    for (const path of ['/', '/docs', '/redoc'])
      expect(await text(path)).toContain('<meta name="color-scheme" content="light dark">');
  });

  it("does not load the logos of the references' makers", async () => {
    const [scalar = ''] = assetsIn(await text('/docs')).filter((name) => /scalar-[0-9a-f]{12}\.js/.test(name));
    const settings = await text(scalar);
    expect(settings).toContain('agent: { disabled: true }');
    expect(settings).toContain('telemetry: false');
    expect(settings).toContain('withDefaultFonts: false');
    const [redoc = ''] = assetsIn(await text('/redoc')).filter((name) => /redoc-\d/.test(name));
    expect(await text(redoc)).not.toContain('cdn.redoc.ly');
  });
});

describe('the front page', () => {
  it('links to everything and shows how to make a first call', async () => {
    const page = await text('/');
    const sections = ['guides', 'sdk', 'trpc', 'events', 'permissions', 'errors'].map((name) => `/docs/${name}`);
    for (const path of [
      '/docs',
      ...sections,
      '/redoc',
      '/openapi.json',
      '/asyncapi.json',
      '/llms.txt',
      '/health',
      '/dev/mail',
    ]) {
      expect(page).toContain(`href="${path}"`);
    }
    expect(page).toContain('curl -s https://api.example.com/api/v1/auth/login');
    expect(page).toContain('it&#39;s &#60;secret&#62;');
    expect(page).toContain('1.2.3');
  });

  it('shows neither demo accounts nor captured mail where there are none', async () => {
    const page = await (await fetch(await serve({ demoAccount: null, mailbox: null, production: true }))).text();
    expect(page).not.toMatch(/Demo account|Development|\/dev\/mail/);
    expect(page).toContain('curl -s https://api.example.com/health');
  });
});

describe.each([
  ['openapi', '3.1.0', OPENAPI_FILE],
  ['asyncapi', '3.0.0', ASYNCAPI_FILE],
])('the document of %s', (name, version, file) => {
  it.each([`/${name}.json`, `/api/v1/${name}.json`])(
    'is at %s, and is sent again only after a change',
    async (path) => {
      const first = await get(path);
      expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await first.json()).toMatchObject({ [name]: version });
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[\w-]{43}"$/);
      expect(first.headers.get('cache-control')).toBe('public, no-cache');
      expect((await get(path, { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' })).status).toBe(304);
    },
  );

  it.each(['json', 'yaml'])('is the same as %s, plain and compressed', async (form) => {
    const zipped = await get(`/${name}.${form}`);
    const plain = await get(`/${name}.${form}`, { 'Accept-Encoding': 'identity' });
    expect([zipped, plain].map(({ headers }) => headers.get('content-encoding'))).toEqual(['gzip', null]);
    expect(zipped.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect(plain.headers.get('content-type')).toBe(`application/${form}; charset=utf-8`);
    const body = await plain.text();
    expect(await zipped.text()).toBe(body);
    expect(parse(body)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('names the address of this server', async () => {
    const url = await serve({ publicUrl: 'https://api.acme.test' });
    expect((await (await fetch(`${url}/${name}.json`)).text()).includes('//api.example.com')).toBe(false);
  });
});

describe('the address of this server', () => {
  it('is in the samples of operations, and is where the sockets are', async () => {
    const url = await serve({ publicUrl: 'http://api.acme.test:8080' });
    const asyncapi = JSON.parse(await (await fetch(`${url}/asyncapi.json`)).text());
    expect(asyncapi.servers.api).toMatchObject({ host: 'api.acme.test:8080', protocol: 'ws' });
    const body = await (await fetch(`${url}/openapi.json`)).text();
    expect(body).toContain("curl 'http://api.acme.test:8080/api/v1/users/me'");
    expect(JSON.parse(body).externalDocs.url).toBe('http://api.acme.test:8080/docs/guides');
  });
});

describe('error pages', () => {
  it.each(contract.errors)(
    '$code has one, with its status, meaning and fix',
    async ({ code, status, title, meaning }) => {
      const response = await get(`/docs/errors/${code}`);
      expect(response.status).toBe(200);
      const page = await response.text();
      for (const part of [code, status, title, `"type": "https://api.example.com/docs/errors/${code}"`])
        expect(page).toContain(html`${part}`.text);
      expect(page.replace(/<pre.*?<\/pre>/gs, '')).not.toContain('`');
      expect(await text(`/docs/errors/${code}.md`)).toContain(meaning);
      expect(await text('/docs/errors')).toContain(`href="/docs/errors/${code}"`);
    },
  );

  it.each(['nope', 'constructor', '__proto__', '%3Cscript%3E'])('%s has none', async (code) => {
    const response = await get(`/docs/errors/${code}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).not.toContain('<script>');
  });
});

describe('an unknown address', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  const statusAndType = async (path: string, accept: string) => {
    const response = await get(path, { Accept: accept });
    return [response.status, response.headers.get('content-type')?.split(';')[0]];
  };

  it('gets a page in a browser', async () => {
    expect(await statusAndType('/nothing/here', browser)).toEqual([404, 'text/html']);
    expect(await (await get('/%3Cscript%3E', { Accept: browser })).text()).toMatch(/No such page(?!.*<script>)/s);
  });

  it('gets a problem in programs, and below the API in browsers too', async () => {
    for (const accept of ['*/*', 'application/json', 'application/problem+json'])
      expect(await statusAndType('/nothing', accept)).toEqual([404, 'application/json']);
    for (const path of ['/api/v1/nothing', '/api', '/trpc/nothing'])
      expect(await statusAndType(path, browser)).toEqual([404, 'application/json']);
  });
});

describe('pages that mailed links open', () => {
  it.each([
    '/verify-email',
    '/accept-invitation',
    '/reset-password',
    '/confirm-email-change',
    '/undo-email-change',
    '/keep-two-factor',
    '/unlock',
  ])('%s never consumes the token', async (path) => {
    for (const method of ['GET', 'HEAD', 'GET']) {
      const response = await fetch(`${origin}${path}?token=t0ken`, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(await response.text()).not.toContain('t0ken');
    }
    expect(posted).toEqual([]);
  });

  it('help after a used link, and without an account', async () => {
    const isOffered = async (path: string, action: string) =>
      [...(await text(path)).matchAll(/<form [^>]*data-action="([^"]+)"[^>]*>/g)].some(
        ([form, of]) => of === action && !form.includes('hidden'),
      );
    for (const [path, action] of [
      ['/verify-email', 'resend-verification'],
      ['/reset-password', 'password-reset/request'],
    ] as const)
      expect([await isOffered(path, action), await isOffered(`${path}?token=t0ken`, action)]).toEqual([true, false]);
    const invitation = await text('/accept-invitation?token=t0ken');
    for (const action of ['register', 'resend-verification']) expect(invitation).toContain(`data-action="${action}"`);
  });

  it('lead to setting a password after verifying an address that was registered more than once', async () => {
    expect(await text('/verify-email?token=t0ken')).toMatch(
      /<div data-after="verify-email" hidden>\s*<p>If this address was registered/,
    );
  });

  it('request a new password without a link, too', async () => {
    const page = await text('/forgot-password');
    expect(page).toContain('<form method="post" action="/forgot-password" data-action="password-reset/request">');
  });

  it('cannot put a password into the address, not even with scripts off', async () => {
    for (const path of ['/accept-invitation?token=t0ken', '/reset-password?token=t0ken', '/register']) {
      const response = await get(path);
      const forms = (await response.text()).match(/<form [^>]*>/g)!;
      for (const form of forms) expect([path, form]).toEqual([path, expect.stringContaining(' method="post"')]);
      expect(response.headers.get('content-security-policy')).toContain("form-action 'self'");
    }
  });
});

describe('captured mail', () => {
  it('is listed newest first, and by address', async () => {
    const response = await get('/dev/mail.json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ items: mails });
    expect(await (await get('/dev/mail.json?to=ann%40example.com')).json()).toEqual({ items: [mails[1]] });
    const page = await text('/dev/mail');
    expect(page.indexOf('/dev/mail/newer')).toBeLessThan(page.indexOf('/dev/mail/older'));
    expect(page).not.toContain('<script>');
    expect(await text('/dev/mail?to=%3Cscript%3E')).not.toContain('<script>');
  });

  it('shows the link, the text escaped and the HTML in a sandbox', async () => {
    const page = await text('/dev/mail/older');
    expect(page).toContain('<a href="https://api.example.com/verify-email?token=t0ken"');
    expect(page).toContain('&#60;b&#62;Thanks');
    expect(page).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
    const body = await get('/dev/mail/older/body');
    expect(await body.text()).toContain('<p style="color: red">Open</p>');
    expect(body.headers.get('content-security-policy')).toContain('sandbox allow-popups');
    expect(await text('/dev/mail/newer')).not.toMatch(/<script>|href="javascript/);
    expect((await get('/dev/mail/none')).status).toBe(404);
  });

  const addresses = ['/dev/mail', '/dev/mail/', '/dev/mail/older', '/dev/mail/older/body', '/dev/mail.json'];
  const strangers = {
    'a neighbour': { 'x-test-remote': '203.0.113.7' },
    'a neighbour over IPv6': { 'x-test-remote': '::ffff:203.0.113.7' },
    'a neighbour who claims to be local': { 'x-test-remote': '10.0.0.2', 'X-Forwarded-For': '127.0.0.1' },
    'a proxy on this machine': { 'x-test-remote': '127.0.0.1', 'X-Forwarded-For': '203.0.113.7' },
    'a closed socket': { 'x-test-remote': '' },
    ...Object.fromEntries(
      [
        ['Forwarded', 'for=203.0.113.7'],
        ['Via', '1.1 proxy'],
        ['X-Forwarded-Host', 'api.example.com'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Prefix', '/rentapi'],
        ['X-Real-IP', 'unknown'],
        ['X-Client-IP', 'unknown'],
        ['X-Cluster-Client-IP', 'unknown'],
        ['X-Original-URL', '/dev/mail'],
        ['X-Original-Forwarded-For', 'unknown'],
        ['X-Originating-IP', 'unknown'],
        ['X-Remote-Addr', 'unknown'],
        ['X-Envoy-External-Address', 'unknown'],
        ['X-Azure-ClientIP', 'unknown'],
        ['X-ARR-LOG-ID', '1'],
        ['X-Amzn-Trace-Id', 'Root=1-67891233-abcdef012345678912345678'],
        ['CF-Connecting-IP', 'unknown'],
        ['CF-Ray', '230b030023ae2822-SJC'],
        ['CDN-Loop', 'cloudflare'],
        ['True-Client-IP', 'unknown'],
        ['Fastly-Client-IP', 'unknown'],
        ['Fly-Client-IP', 'unknown'],
        ['Client-IP', 'unknown'],
        ['Proxy-Client-IP', 'unknown'],
        ['Tailscale-User-Login', 'ada@example.com'],
        ['X-Brand-New-Peer', '203.0.113.7'],
        ['X-Brand-New-Peer', '203.0.113.7:40000'],
        ['X-Brand-New-Peer', '[2001:db8::7]:40000'],
        ['X-Brand-New-Peer', 'internal, 2001:db8::7'],
      ].map(([name = '', value = '']) => [`a proxy that sends ${name}: ${value}`, { [name]: value }]),
    ),
  };
  it.each(Object.entries(strangers))('does not exist for %s', async (_who, headers) => {
    for (const address of addresses) {
      const response = await get(address, headers);
      expect([address, response.status]).toEqual([address, 404]);
      expect(await response.json()).toEqual({ code: 'not_found' });
    }
    expect(await (await get('/', headers)).text()).not.toContain('/dev/mail');
  });

  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('is open to %s', async (remote) => {
    expect((await get('/dev/mail.json', { 'x-test-remote': remote })).status).toBe(200);
  });

  it('is open to requests that browsers and scrapers send directly', async () => {
    const headers = {
      Accept: 'text/html',
      Referer: 'http://127.0.0.1:8000/',
      Cookie: 'a=b',
      DNT: '1',
      'Sec-Fetch-Site': 'same-origin',
      'X-Request-Id': 'one',
      'X-Requested-With': 'XMLHttpRequest',
      'X-Prometheus-Scrape-Timeout-Seconds': '10',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    expect((await get('/dev/mail.json', headers)).status).toBe(200);
  });

  it('does not exist for HTTP/1.0, which only proxies still speak', async () => {
    const { port } = new URL(origin);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /dev/mail.json HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
    socket.destroy();
  });

  it('does not answer to a name that was pointed at this machine', async () => {
    const { port } = new URL(origin);
    const status = (host: string) =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: '/dev/mail.json', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await status('evil.example:8000')).toBe(404);
    expect(await status('127.0.0.1.evil.example')).toBe(404);
    expect(await status('localhost:8000')).toBe(200);
    expect(await status('[::1]:8000')).toBe(200);
  });

  it('does not exist while mail is really sent', async () => {
    const sending = await serve({ mailbox: null });
    for (const address of addresses) expect((await fetch(sending + address)).status).toBe(404);
  });
});
