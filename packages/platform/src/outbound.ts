import { lookup, Resolver } from 'node:dns/promises';
import http, { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { OldestFirst } from './oldest-first.ts';
import { forbiddenName, forbiddenRange } from './outbound/addresses.ts';

/**
 * The client for every address that a tenant can set. Only https, only the public internet, checked on the addresses of
 * the connection itself, so that no name can lead elsewhere a moment later; and bounded in time and size. No redirect
 * is followed: each would be an address that was not checked.
 */
export interface Outbound {
  /** Every answer counts, whatever its status; throws `OutboundError` where there is none. */
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /**
   * Throws what `send` would throw before it uses the network, so that an address can be checked before it is stored.
   */
  check(url: string): void;
  close(): void;
}

export interface OutboundRequest {
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Headers of the connection (`Host`, `Content-Length`, …) are ours, and left out. */
  headers?: Record<string, string>;
  body?: string;
  /** For everything together: name, connection, request, answer. */
  timeoutMs?: number;
}

export interface OutboundResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** The beginning of the body, where `truncated`. */
  body: string;
  truncated: boolean;
}

export type OutboundReason =
  | 'bad_url'
  | 'bad_header'
  | 'not_https'
  | 'forbidden_port'
  | 'forbidden_host'
  | 'credentials_in_url'
  | 'forbidden_address'
  | 'name_not_found'
  | 'connection_failed'
  | 'tls_failed'
  | 'timeout';

/** Its message may be shown to the tenant: it contains no address that the tenant did not name. */
export class OutboundError extends Error {
  override name = 'OutboundError';
  readonly reason: OutboundReason;

  constructor(reason: OutboundReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export type Resolve = (name: string) => Promise<string[]>;

export interface OutboundOptions {
  /** `host:port` exactly as in the URLs: these may be private, and may use http. */
  allowedTargets: readonly string[];
  /** The setting that allows a target; named in a refusal. */
  settingName: string;
  /** Where there are any, no other public host is called: `example.com`, or `*.example.com` for all below it. */
  allowedHosts?: readonly string[];
  timeoutMs?: number;
  maxBodyBytes?: number;
  /** Instead of 443 and 8443. */
  ports?: readonly number[];
  /** Instead of the DNS. */
  resolve?: Resolve;
  /** Trusted in addition to the public authorities. */
  ca?: string;
}

interface Target {
  url: URL;
  /** The same, as a request takes it. */
  options: RequestOptions;
  /** `host:port`, as a setting names it. */
  name: string;
  allowed: boolean;
}

const TIMEOUT_MS = 15_000;
const MAX_BODY_BYTES = 65_536;
const IDLE_CONNECTION_MS = 4000;
const MAX_TARGETS = 1000;
const HTTPS_PORT = 443;
/** Other ports lead to services that are not the web. */
const PORTS = [HTTPS_PORT, 8443];
/** RFC 9110, section 9.2.2. */
const IDEMPOTENT: ReadonlySet<OutboundRequest['method']> = new Set(['GET', 'PUT', 'DELETE']);

export function createOutbound(options: OutboundOptions): Outbound {
  const { settingName, timeoutMs = TIMEOUT_MS, maxBodyBytes = MAX_BODY_BYTES, ports = PORTS } = options;
  const allowed = new Set(options.allowedTargets.map((target) => nameOf(new URL(`http://${target}`), target)));
  const isListed = hostMatcher(options.allowedHosts ?? []);
  const agentOptions = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agents = { 'http:': new http.Agent(agentOptions), 'https:': new https.Agent(agentOptions) };

  const refusal = (target: Target, range: string): OutboundError =>
    new OutboundError(
      'forbidden_address',
      `${target.name} leads to ${/^[aeiI]|^un/.test(range) ? 'an' : 'a'} ${range} address: only addresses of the public internet are called. The operator can allow it: ${settingName}=${target.name}`,
    );

  /** The last ones: most requests go to an address that was called before. Only what the URL shows is remembered. */
  const targets = new OldestFirst<Target>(MAX_TARGETS);

  function targetOf(text: string): Target {
    const known = targets.get(text);
    if (known) return known;
    const target = newTarget(text);
    targets.set(text, target);
    return target;
  }

  /** Checks what the URL itself shows. A literal address never meets a resolver; the URL parser has decoded it. */
  function newTarget(text: string): Target {
    const url = URL.parse(text);
    if (!url?.hostname) throw new OutboundError('bad_url', 'This is not the URL of a server.');
    const target: Target = { url, options: urlToHttpOptions(url), name: nameOf(url), allowed: false };
    target.allowed = allowed.has(target.name);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && target.allowed)) {
      throw new OutboundError(
        'not_https',
        `Only https is called. The operator can allow it: ${settingName}=${target.name}`,
      );
    }
    if (!target.allowed && !ports.includes(Number(url.port || HTTPS_PORT))) {
      throw new OutboundError(
        'forbidden_port',
        `Only the ports ${ports.join(' and ')} are called. The operator can allow another: ${settingName}=${target.name}`,
      );
    }
    if (url.username || url.password) {
      throw new OutboundError('credentials_in_url', 'Leave the user and password out of the URL: use a header.');
    }
    if (target.allowed) return target;
    const range = literalRange(bare(url.hostname));
    if (range) throw refusal(target, range);
    if (!isListed(url.hostname)) {
      throw new OutboundError(
        'forbidden_host',
        `${url.hostname} is not among the hosts that are called. The operator can allow it: OUTBOUND_ALLOWED_HOSTS=${url.hostname}`,
      );
    }
    return target;
  }

  /** The resolver of the connection: it connects to what this returns. One forbidden address spoils the answer. */
  function lookupFor(target: Target): LookupFunction {
    const resolve = options.resolve ?? (target.allowed ? resolveAsHost : resolveByDns);
    const addressesOf = async (name: string): Promise<string[]> => {
      const addresses = await resolve(name).catch(() => []);
      if (addresses.length === 0) throw new OutboundError('name_not_found', `${name} has no address in the DNS.`);
      const range = target.allowed ? null : firstOf(addresses, forbiddenRange);
      if (range) throw refusal(target, range);
      return addresses;
    };
    return (name, { all }, done) => {
      addressesOf(name).then(
        (addresses) => {
          const found = addresses.map((address) => ({ address, family: isIP(address) }));
          if (all) done(null, found);
          else done(null, found[0]!.address, found[0]!.family);
        },
        (error: Error) => done(error, ''),
      );
    };
  }

  function exchange(target: Target, request: OutboundRequest, deadline: Deadline): Promise<OutboundResponse> {
    const { url } = target;
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const requestOptions: RequestOptions & https.RequestOptions = {
      ...target.options,
      agent: agents[url.protocol as keyof typeof agents],
      method: request.method,
      headers: headersOf(request, body),
      lookup: lookupFor(target),
      ...(options.ca && { ca: options.ca }),
    };
    return new Promise((resolve, reject) => {
      const sent = (url.protocol === 'https:' ? https : http).request(requestOptions);
      deadline.onOver(() => {
        sent.destroy();
        reject(new Error('it took too long')); // whatever the request has become: nothing waits longer
      });
      sent.on('socket', (socket) => {
        if (!target.allowed)
          onceConnected(socket, () => refuseForbiddenPeer(socket, (range) => refusal(target, range)));
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The other side closed the idle connection just as it was used again, or after it had read the request, which
        // looks the same from here. Only the caller knows whether the request may be repeated.
        const isLate = sent.reusedSocket && error.code === 'ECONNRESET';
        if (isLate && IDEMPOTENT.has(request.method)) resolve(exchange(target, request, deadline));
        else reject(error);
      });
      sent.on('response', (response) => readBody(response, maxBodyBytes).then(resolve, reject));
      // A switch of protocols that was not requested: without a listener Node ends the request without any event.
      sent.on('upgrade', ({ statusCode, headers }, socket) => {
        socket.destroy();
        resolve({ status: statusCode!, headers, body: '', truncated: false });
      });
      sent.end(body);
    });
  }

  return {
    check: (url) => void targetOf(url),
    async send(request) {
      const target = targetOf(request.url);
      const limitMs = request.timeoutMs ?? timeoutMs;
      const deadline = startDeadline(limitMs);
      try {
        return await exchange(target, request, deadline);
      } catch (error) {
        if (deadline.isOver) throw new OutboundError('timeout', `${target.name} took longer than ${limitMs} ms.`);
        throw explained(error, target);
      } finally {
        deadline.clear();
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

interface Deadline {
  readonly isOver: boolean;
  /** Calls `end` when it is over; it replaces the one before. */
  onOver(end: () => void): void;
  clear(): void;
}

/** Cheaper than a signal, which makes an error when its time is over, long after most requests have ended. */
function startDeadline(ms: number): Deadline {
  let [isOver, end] = [false, () => {}];
  const timer = setTimeout(() => {
    isOver = true;
    end();
  }, ms);
  return {
    get isOver() {
      return isOver;
    },
    onOver(given) {
      end = given;
      if (isOver) end();
    },
    clear: () => clearTimeout(timer),
  };
}

/** The final check: whatever the resolver said, this is the address we are connected to. Nothing was sent yet. */
export function refuseForbiddenPeer(socket: Socket, refusal: (range: string) => Error): void {
  const range = forbiddenRange(socket.remoteAddress ?? '');
  if (range) socket.destroy(refusal(range));
}

/** Before other listeners: TLS then sends its first message, which contains the name of the server. */
function onceConnected(socket: Socket, look: () => void): void {
  if (socket.connecting) socket.prependOnceListener('connect', look);
  else look();
}

/**
 * Node's own resolver, not the system's, which blocks a thread while a tenant's name server is slow, and searches local
 * domains.
 */
async function resolveByDns(name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/** With the host's resolver: what an operator allows may be in its hosts file only. */
async function resolveAsHost(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function readBody(response: IncomingMessage, maxBytes: number): Promise<OutboundResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = () =>
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        body: Buffer.concat(chunks).subarray(0, maxBytes).toString(),
        truncated: size > maxBytes,
      });
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxBytes) return;
      end();
      response.destroy(); // closes the connection
    });
    response.on('end', end).on('error', reject);
  });
}

const OF_THE_CONNECTION =
  /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|accept-encoding|proxy-.*)$/i;

function headersOf(request: OutboundRequest, body: Buffer | undefined): Record<string, string> {
  const given = Object.entries(request.headers ?? {}).filter(([name]) => !OF_THE_CONNECTION.test(name));
  return {
    ...Object.fromEntries(given),
    'Accept-Encoding': 'identity', // a small answer must not unfold into a large one
    ...(body && { 'Content-Length': String(body.length) }),
  };
}

function explained(error: unknown, target: Target): OutboundError {
  if (error instanceof OutboundError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (/^ERR_(INVALID_CHAR|HTTP_INVALID_HEADER_VALUE|INVALID_HTTP_TOKEN)$/.test(code)) {
    return new OutboundError('bad_header', 'A header has a name or value that HTTP does not allow.', options);
  }
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) {
    return new OutboundError('tls_failed', `${target.name} does not prove who it is: ${message}`, options);
  }
  return new OutboundError('connection_failed', `${target.name} does not answer: ${code || message}`, options);
}

/** `host:port` in the one spelling that the URL parser gives a host. */
function nameOf(url: URL, given?: string): string {
  const port = given ? /:(\d+)$/.exec(given)?.[1] : url.port;
  return `${url.hostname}:${port || (url.protocol === 'https:' ? 443 : 80)}`;
}

function bare(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** Hosts that need no resolver: addresses, and names that no public name server may answer. */
function literalRange(host: string): string | null {
  return isIP(host) ? forbiddenRange(host) : forbiddenName(host);
}

/** Whether a host is one of the list; without a list every host is. */
function hostMatcher(hosts: readonly string[]): (hostname: string) => boolean {
  if (hosts.length === 0) return () => true;
  const [below, exact] = [new Set<string>(), new Set<string>()];
  for (const host of hosts) {
    const [list, name] = host.startsWith('*.') ? [below, host.slice(2)] : [exact, host];
    list.add(withoutDot(new URL(`https://${name}`).hostname));
  }
  return (hostname) => {
    const labels = withoutDot(hostname).split('.');
    return exact.has(labels.join('.')) || labels.some((_, at) => at > 0 && below.has(labels.slice(at).join('.')));
  };
}

/** A name may end with a dot, which changes nothing. */
const withoutDot = (hostname: string): string => hostname.replace(/\.$/, '');

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
