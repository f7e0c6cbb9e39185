import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Header } from '@rentapi/api/wire/answer';
import helmet, { type HelmetOptions } from 'helmet';

export type CspMode = 'strict' | 'relaxed' | 'disabled';

/**
 * `own`: our own pages. `form`: those without scripts. `scalar`, `redoc`: the two references. `mail`: the body of a
 * captured mail, in its frame.
 */
export type PageKind = 'own' | 'form' | 'scalar' | 'redoc' | 'mail';

export interface SecurityHeaders {
  /** For JSON and assets, which are never documents. */
  api: readonly Header[];
  pages: Readonly<Record<PageKind, readonly Header[]>>;
}

type Directives = Record<string, readonly string[]>;

const nothing: Directives = { 'default-src': ["'none'"], 'base-uri': ["'none'"], 'frame-ancestors': ["'none'"] };
/**
 * With `disabled`, frames stay forbidden: clickjacking needs no script, and no page of ours belongs in another site's
 * frame.
 */
const notFramed: Directives = { 'frame-ancestors': ["'none'"] };

const own: Directives = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'frame-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  // The search of the documentation, and the forms of mailed links: both work without scripts.
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

const reference: Directives = { ...own, 'style-src': ["'self'", "'unsafe-inline'"], 'form-action': ["'none'"] };

const pages: Record<PageKind, Directives> = {
  own,
  form: { ...own, 'script-src': ["'none'"], 'connect-src': ["'none'"], 'frame-src': ["'none'"] },
  // Scalar sets styles while it draws, and shows a picture that it received as a blob.
  scalar: { ...reference, 'img-src': ["'self'", 'data:', 'blob:'] },
  // Redoc needs its generated styles, and searches in a worker made of a blob.
  redoc: { ...reference, 'worker-src': ['blob:'] },
  mail: {
    'default-src': ["'none'"],
    'style-src': ["'unsafe-inline'"],
    'img-src': ['data:'],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'self'"],
    // Mail is written by others: it gets no scripts and no origin, even when it is opened outside its frame.
    sandbox: ['allow-popups', 'allow-popups-to-escape-sandbox'],
  },
};

/**
 * What `relaxed` allows in addition: references that load pictures or call servers elsewhere, and tools that inject
 * scripts.
 */
const relaxations: Directives = {
  'script-src': ["'unsafe-inline'", "'unsafe-eval'"],
  'style-src': ["'unsafe-inline'"],
  'img-src': ['https:'],
  'font-src': ["'self'", 'data:', 'https:'],
  'connect-src': ['https:', 'http://localhost:*', 'ws:', 'wss:'],
};

/** Both lists are made once; a request only copies them. HSTS is sent over HTTPS only: elsewhere browsers ignore it. */
export function securityHeaders(mode: CspMode, https: boolean): SecurityHeaders {
  const strictTransportSecurity = https;
  const page = (kind: PageKind) => {
    // No mode relaxes other people's HTML: without its sandbox a mail would run scripts in our origin. Forms need none.
    const effective = kind === 'mail' || kind === 'form' ? 'strict' : mode;
    const directives = effective === 'relaxed' ? relax(pages[kind]) : pages[kind];
    return helmetHeaders({
      strictTransportSecurity,
      ...policy(effective, https ? { ...directives, 'upgrade-insecure-requests': [] } : directives),
      // Browsers warn because a frame without an origin cannot be keyed by one.
      originAgentCluster: kind !== 'mail',
      // With `no-referrer`, browsers send no `Origin` with a form.
      ...(kind === 'form' && { referrerPolicy: { policy: 'same-origin' } }),
      xFrameOptions: { action: kind === 'mail' ? 'sameorigin' : 'deny' },
    });
  };
  return {
    api: helmetHeaders({
      strictTransportSecurity,
      ...policy(mode, nothing),
      xFrameOptions: { action: 'deny' },
      // These concern documents and plug-ins; on an API answer they are wasted bytes.
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
    }),
    pages: {
      own: page('own'),
      form: page('form'),
      scalar: page('scalar'),
      redoc: page('redoc'),
      mail: page('mail'),
    },
  };
}

export function setHeaders(res: ServerResponse, headers: readonly Header[]): void {
  for (const [name, value] of headers) res.setHeader(name, value);
}

function policy(mode: CspMode, directives: Directives): Pick<HelmetOptions, 'contentSecurityPolicy'> {
  if (mode !== 'disabled') return { contentSecurityPolicy: { useDefaults: false, directives } };
  const noDefault = { 'default-src': helmet.contentSecurityPolicy.dangerouslyDisableDefaultSrc } as const;
  return { contentSecurityPolicy: { useDefaults: false, directives: { ...noDefault, ...notFramed } } };
}

function relax(directives: Directives): Directives {
  const relaxed: Record<string, readonly string[]> = { ...directives };
  for (const [name, sources] of Object.entries(relaxations)) {
    relaxed[name] = [...new Set([...(directives[name] ?? []), ...sources])];
  }
  return relaxed;
}

/**
 * Never sent. Several of them made each request a quarter dearer: V8 learns the layout of a class from its first
 * objects.
 */
const unsent = new ServerResponse(new IncomingMessage(new Socket()));

/** The headers that helmet would set on a response. */
function helmetHeaders(options: HelmetOptions): Header[] {
  helmet(options)(unsent.req, unsent, (error?: unknown) => {
    if (error) throw error;
  });
  const headers = unsent.getHeaderNames().map((name): Header => [name, String(unsent.getHeader(name))]);
  for (const [name] of headers) unsent.removeHeader(name);
  return headers;
}
