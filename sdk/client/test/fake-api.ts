import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** The server gives the child of a used refresh token again for so long; after that it ends the session. */
const GRACE_MS = 10_000;

/** What the tests need of the API, with its state: rotated tokens, stored keys, answers kept by Idempotency-Key. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
  atMs: number;
}

interface Failure {
  status: number | 'drop';
  code?: string;
  headers?: Record<string, string>;
  /** The effect takes place, only the answer is lost. */
  afterEffect?: boolean;
}

interface Session {
  revoked: boolean;
}

interface RefreshToken {
  session: Session;
  usedAtMs?: number;
  child?: string;
}

interface StoredEvent {
  id: string;
  event: string;
  createdAt: string;
  data: Record<string, unknown>;
}

export async function startFakeApi() {
  const requests: SeenRequest[] = [];
  const failures: Failure[] = [];
  const keys: { id: string; name: string }[] = [];
  const answers = new Map<string, { body: string; status: number; data: unknown }>();
  const accessTokens = new Map<string, { expired: boolean; session: Session }>();
  const refreshTokens = new Map<string, RefreshToken>();
  const apiKeys = new Set<string>(['rapi_test_key']);
  const tickets = new Set<string>();
  const events: StoredEvent[] = [];
  const subscribers = new Map<WebSocket, string[]>();
  const subscriptions: { events: string[]; lastEventId?: string }[] = [];
  const unsubscriptions: string[][] = [];
  let shiftMs = 0;
  let expiresInS = 900;
  /** A refresh is answered after it. */
  let released: Promise<unknown> = Promise.resolve();
  let sameCursor = false;
  let mute = false;
  /** A download: as many lines, and then the end or a torn connection. */
  let download = { lines: [] as (string | Buffer)[], breaksOff: false };

  function issueTokens(session: Session, refreshToken = `rt_${randomUUID()}`) {
    const accessToken = `at_${randomUUID()}`;
    accessTokens.set(accessToken, { expired: false, session });
    if (!refreshTokens.has(refreshToken)) refreshTokens.set(refreshToken, { session });
    return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn: expiresInS };
  }

  /** As the server does: each refresh token works once, and again within the grace while its child is unused. */
  function refresh(used: string) {
    const token = refreshTokens.get(used);
    if (!token || token.session.revoked) return null;
    const nowMs = Date.now() + shiftMs;
    if (token.child === undefined) {
      const tokens = issueTokens(token.session);
      Object.assign(token, { usedAtMs: nowMs, child: tokens.refreshToken });
      return tokens;
    }
    const childUsed = refreshTokens.get(token.child)?.child !== undefined;
    if (!childUsed && nowMs <= (token.usedAtMs ?? 0) + GRACE_MS) return issueTokens(token.session, token.child);
    token.session.revoked = true;
    return null;
  }

  function problem(status: number, code: string, more: object = {}) {
    const data = {
      type: `/docs/errors/${code}`,
      title: code,
      status,
      detail: `It is ${code}.`,
      code,
      requestId: 'req_1',
      ...more,
    };
    return { status, data };
  }

  function refusedCredential(request: SeenRequest) {
    const credential = request.headers.authorization?.replace('Bearer ', '');
    if (credential === undefined) return problem(401, 'credentials_required');
    if (apiKeys.has(credential)) return null;
    const token = accessTokens.get(credential);
    if (!token) return problem(401, 'invalid_access_token');
    if (token.session.revoked) return problem(401, 'session_revoked');
    return token.expired ? problem(401, 'access_token_expired') : null;
  }

  async function answer(request: SeenRequest): Promise<{ status: number; data?: unknown }> {
    const url = new URL(request.path, 'http://fake');
    const route = `${request.method} ${url.pathname}`;
    if (route === 'POST /api/v1/auth/login') {
      if (request.body.password !== 'right') return problem(401, 'invalid_credentials');
      return { status: 200, data: issueTokens({ revoked: false }) };
    }
    if (route === 'POST /api/v1/auth/refresh') {
      const tokens = refresh(String(request.body.refreshToken));
      await Promise.all([released, new Promise((resolve) => setTimeout(resolve, 20))]);
      return tokens ? { status: 200, data: tokens } : problem(401, 'invalid_refresh_token');
    }
    const refused = refusedCredential(request);
    if (refused) return refused;
    if (route === 'POST /api/v1/auth/logout') {
      const ended = accessTokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '');
      if (ended) ended.session.revoked = true;
      return { status: 204 };
    }
    if (request.path.startsWith('/api/v1/organizations/')) return { status: 200, data: {} };
    if (route === 'GET /api/v1/users/me') return { status: 200, data: { id: 'usr_1', email: 'a@example.com' } };
    if (route === 'PATCH /api/v1/users/me') {
      return request.headers['if-match'] === '"2"' ? { status: 200, data: {} } : problem(412, 'version_mismatch');
    }
    if (route === 'POST /api/v1/ws/ticket') {
      const ticket = randomUUID();
      tickets.add(ticket);
      return { status: 200, data: { ticket, expiresIn: 30 } };
    }
    if (route === 'POST /api/v1/api-keys') {
      if (typeof request.body.name !== 'string') {
        return problem(400, 'invalid_input', { errors: [{ path: 'name', message: 'is required' }] });
      }
      const claim = request.headers['idempotency-key']?.toString();
      const kept = claim === undefined ? undefined : answers.get(claim);
      const body = JSON.stringify(request.body);
      if (kept) return kept.body === body ? kept : problem(422, 'idempotency_key_reused');
      const key = { id: `key_${keys.length + 1}`, name: request.body.name };
      keys.push(key);
      if (claim !== undefined) answers.set(claim, { body, status: 201, data: key });
      return { status: 201, data: key };
    }
    if (route === 'POST /api/v1/api-keys/verify') {
      const valid = request.body.key === 'rapi_live_right';
      return { status: 200, data: { valid, code: valid ? 'VALID' : 'NOT_FOUND', retryAfter: null, rateLimits: [] } };
    }
    if (route === 'GET /api/v1/api-keys') {
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const end = start + Number(url.searchParams.get('limit') ?? 25);
      const nextCursor = sameCursor ? '0' : end < keys.length ? String(end) : null;
      return { status: 200, data: { items: keys.slice(start, end), nextCursor } };
    }
    const key = keys.find(({ id }) => url.pathname === `/api/v1/api-keys/${id}`);
    if (!key) return problem(404, 'not_found');
    if (request.method === 'DELETE') {
      keys.splice(keys.indexOf(key), 1);
      return { status: 204 };
    }
    return { status: 200, data: key };
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: text === '' ? {} : JSON.parse(text),
      atMs: Date.now(),
    };
    requests.push(request);
    const failure = failures.shift();
    let result = failure && !failure.afterEffect ? { status: 0 } : await answer(request);
    if (failure?.status === 'drop') {
      incoming.socket.destroy();
      return;
    }
    if (failure) result = problem(failure.status, failure.code ?? 'unavailable');
    if (result.status === 200 && incoming.url?.includes('/export')) {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (const line of download.lines) await new Promise((written) => response.write(line, written));
      return download.breaksOff ? void response.destroy() : void response.end();
    }
    const data = 'data' in result ? result.data : undefined;
    const type = result.status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(result.status, {
      'x-request-id': 'req_header',
      etag: '"2"',
      ...(data === undefined ? {} : { 'content-type': type }),
      ...failure?.headers,
    });
    response.end(data === undefined ? undefined : JSON.stringify(data));
  }

  const matches = (patterns: string[], event: string) =>
    patterns.some(
      (pattern) =>
        pattern === event || pattern === '*' || (pattern.endsWith('.*') && event.startsWith(pattern.slice(0, -1))),
    );
  const send = (socket: WebSocket, message: object) => socket.send(JSON.stringify(message));

  const server = createServer((incoming, response) => void handle(incoming, response));
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (incoming, socket, head) => {
    const url = new URL(incoming.url ?? '', 'http://fake');
    if (url.pathname !== '/api/v1/ws/realtime' || !tickets.delete(url.searchParams.get('ticket') ?? '')) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(incoming, socket, head, (client) => {
      client.on('message', (data) => {
        const message = JSON.parse(data.toString());
        if (message.action === 'ping') return mute ? undefined : send(client, { type: 'pong' });
        if (message.events.includes('nonsense'))
          return send(client, { type: 'error', code: 'invalid_input', detail: 'No such event.' });
        const asked = subscribers.get(client) ?? [];
        if (message.action === 'unsubscribe') {
          unsubscriptions.push(message.events);
          subscribers.set(
            client,
            asked.filter((pattern) => !message.events.includes(pattern)),
          );
          return send(client, { type: 'subscribed', events: subscribers.get(client) });
        }
        subscriptions.push(message);
        subscribers.set(client, [...new Set([...asked, ...message.events])]);
        const lastEventId = message.lastEventId === undefined ? (events.at(-1)?.id ?? null) : message.lastEventId;
        send(client, { type: 'subscribed', events: subscribers.get(client), lastEventId });
        if (message.lastEventId === undefined) return;
        const after = events.findIndex(({ id }) => id === message.lastEventId) + 1;
        for (const event of events.slice(after))
          if (matches(message.events, event.event)) send(client, { type: 'event', ...event });
      });
      client.on('close', () => subscribers.delete(client));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    // The guarantee: a listening TCP server has an address with a port.
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    keys,
    subscriptions,
    unsubscriptions,
    failNext: (...next: Failure[]) => failures.push(...next),
    seenAt: (route: string) => requests.filter(({ method, path }) => `${method} ${path.split('?')[0]}` === route),
    expireAccessTokens: () => {
      for (const token of accessTokens.values()) token.expired = true;
    },
    forgetRefreshTokens: () => refreshTokens.clear(),
    /** For the grace of used refresh tokens. */
    advance: (ms: number) => {
      shiftMs += ms;
    },
    setExpiresIn: (seconds: number) => {
      expiresInS = seconds;
    },
    /** Refreshes are done, and answered once what it returns is called. */
    holdRefreshes: (): (() => void) => {
      let release = () => {};
      released = new Promise<void>((resolve) => {
        release = resolve;
      });
      return release;
    },
    repeatCursorForEver: () => {
      sameCursor = true;
    },
    setDownload: (given: typeof download) => {
      download = given;
    },
    revokeApiKey: () => apiKeys.clear(),
    emit: (event: string, data: Record<string, unknown>) => {
      const stored = { id: `evt_${events.length + 1}`, event, createdAt: new Date().toISOString(), data };
      events.push(stored);
      for (const [socket, patterns] of subscribers)
        if (matches(patterns, event)) send(socket, { type: 'event', ...stored });
    },
    /** An event without an id: it is not kept and not resumed. */
    emitCall: (data: Record<string, unknown>) => {
      const createdAt = new Date().toISOString();
      for (const [socket, patterns] of subscribers)
        if (patterns.includes('api_call'))
          send(socket, { type: 'event', id: null, event: 'api_call', createdAt, data });
    },
    /** Connections stay open and silent, as when a cable is pulled. */
    setMute: (silent: boolean) => {
      mute = silent;
    },
    dropSockets: () => {
      for (const socket of subscribers.keys()) socket.terminate();
      subscribers.clear();
    },
    /** As when the credential behind a socket ends. */
    refuseSockets: (code: string) => {
      for (const socket of subscribers.keys()) {
        send(socket, { type: 'error', code, detail: `It is ${code}.` });
        socket.close(4401);
      }
    },
    openSockets: () => sockets.clients.size,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type FakeApi = Awaited<ReturnType<typeof startFakeApi>>;
