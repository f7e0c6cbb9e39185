import type { PaymentProviders } from '@rentapi/payments/providers';
import type { Allowances } from '@rentapi/platform/allowances';
import type { Cache } from '@rentapi/platform/cache';
import type { Clock } from '@rentapi/platform/clock';
import type { Knex } from '@rentapi/platform/database';
import type { Env } from '@rentapi/platform/env';
import type { ErrorReporter } from '@rentapi/platform/error-reporting';
import type { Limiter } from '@rentapi/platform/limiter';
import type { Logger } from '@rentapi/platform/logger';
import type { Mailer } from '@rentapi/platform/mail';
import type { Notifications } from '@rentapi/platform/notifications';
import type { Outbound } from '@rentapi/platform/outbound';
import type { Presence } from '@rentapi/platform/presence';
import type { ProcessReports } from '@rentapi/platform/process-reports';
import type { PubSub } from '@rentapi/platform/pubsub';
import type { RecentCalls } from '@rentapi/platform/recent-calls';
import type { Redis } from '@rentapi/platform/redis';
import type { Keyring } from '@rentapi/platform/secrets';
import type { Slots } from '@rentapi/platform/slots';
import type { Storage } from '@rentapi/platform/storage';
import type { Tracer } from '@rentapi/platform/tracing';
import type { Ids } from './contract/ids.ts';
import type { Cursors } from './contract/pagination.ts';
import type { OrganizationPermission } from './contract/permissions.ts';
import type { EventType } from './events/event.ts';
import type { Feed } from './events/feed.ts';
import type { JobRegistry } from './jobs/job.ts';
import type { Actor, KeyActor, UserActor } from './pipeline/actor.ts';
import type { ActorCache } from './pipeline/actor-cache.ts';
import type { ApiCalls } from './pipeline/api-calls.ts';
import type { Authenticated, Authenticators } from './pipeline/credential.ts';
import type { DueLimits } from './pipeline/limits.ts';
import type { Metrics } from './pipeline/observe-metrics.ts';
import type { Traffic } from './pipeline/observe-usage.ts';
import type { Origins } from './pipeline/origins.ts';
import type { UsageLog } from './pipeline/usage-log.ts';
import type { KeyUses } from './slices/api-keys/last-used.ts';
import type { AccessTokens } from './slices/auth/access-tokens.ts';
import type { LastSeen } from './slices/auth/last-seen.ts';
import type { Passwords } from './slices/auth/passwords.ts';
import type { Projections } from './slices/billing/service/sync.ts';
import type { OAuthClients } from './slices/oauth/client.ts';
import type { Fulfilments } from './slices/payments/service/fulfilment.ts';
import type { TwoFactorSecrets } from './slices/two-factor/secrets.ts';
import type { WebhookSecrets } from './slices/webhooks/secrets.ts';
import type { Connections } from './wire/connections.ts';
import type { Cookies } from './wire/cookies.ts';
import type { KnownCaller, Observed } from './wire/observed.ts';
import type { UnfinishedBodies } from './wire/unfinished-bodies.ts';

/** What a process opens once, at start, and shares with every call. */
export interface Ports {
  env: Env;
  log: Logger;
  clock: Clock;
  database: Knex;
  /** Null without Redis: this process is then the only one and shares nothing. */
  redis: Redis | null;
  limiter: Limiter;
  /** Limits and leased credits of the keys that organizations verify. */
  allowances: Allowances;
  /** Room for open sockets and subscriptions. */
  slots: Slots;
  cache: Cache;
  pubsub: PubSub;
  /** Who is connected to the chat of which organization. */
  presence: Presence;
  /** What is connected to this process. */
  connections: Connections;
  /** What is connected to each process. */
  reports: ProcessReports;
  /** For sockets that watch what is called with keys. */
  apiCalls: ApiCalls;
  /** The calls of the last hour, counted while they happen. */
  recentCalls: RecentCalls;
  mailer: Mailer;
  /** Request bodies that are still being sent; their total is bounded. */
  bodies: UnfinishedBodies;
  /** The only client for addresses that a tenant can set: it refuses private networks. */
  outbound: Outbound;
  /** Files: pictures and downloads. */
  storage: Storage;
  keyring: Keyring;
  ids: Ids;
  cursors: Cursors;
  authenticators: Authenticators;
  origins: Origins;
  accessTokens: AccessTokens;
  passwords: Passwords;
  /** The providers of logins that are set up. */
  oauth: OAuthClients;
  lastSeen: LastSeen;
  keyUses: KeyUses;
  twoFactor: TwoFactorSecrets;
  webhooks: WebhookSecrets;
  /** The providers of payments that are set up. */
  payments: PaymentProviders;
  /** What is made of objects that were read from them. */
  projections: Projections;
  /** What follows from a payment. */
  fulfilments: Fulfilments;
  /** Every event type of the product, by name. */
  eventTypes: ReadonlyMap<string, EventType>;
  jobs: JobRegistry;
  /** Messages of other processes, over LISTEN and NOTIFY. */
  notifications: Notifications;
  actors: ActorCache;
  feed: Feed;
  metrics: Metrics;
  /** Every call, written in batches. */
  usage: UsageLog;
  /** Null unless they are configured. */
  tracer: Tracer | null;
  errors: ErrorReporter | null;
  process: ProcessState;
}

export interface ProcessState {
  version: string;
  /** True once the process begins to stop: readiness fails from then on, and work in flight continues. */
  draining: boolean;
}

/** What a transport knows of a call before it is authenticated. */
export interface ApiRequest {
  requestId: string;
  /** The peer's address, or the one that a trusted proxy names, as `parseAddress` writes it. */
  ip: string;
  userAgent: string | null;
  authorization: string | undefined;
  apiKey: string | undefined;
  /** The `X-Organization-Id` header. */
  organizationId: string | undefined;
  /** The `X-Tenant-ID` header, which means the same. */
  tenantId: string | undefined;
  /** The `Host` header: its subdomain may name the organization. */
  host: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  idempotencyKey: string | undefined;
  origin: string | undefined;
  /** Shared by the calls of one request. */
  batched: boolean;
  /** Whether the client is on this machine; absent where there is no request. */
  isLocal?: () => boolean;
  /** Collected about the request for its log line; absent where there is no request. */
  observed?: Observed;
  /** Who makes this call, as far as it is known; of a batch, each call has its own. */
  caller: KnownCaller;
}

/** The organization of a call, and what the caller may do there. */
export interface CurrentOrganization {
  id: number;
  permissions: ReadonlySet<OrganizationPermission>;
}

/** Who calls, in which organization, and when. `db` is the pool, or the caller's transaction. */
export interface Context {
  ports: Ports;
  ids: Ids;
  db: Knex;
  now: Date;
  request: ApiRequest;
  /** Headers of the answer. */
  responseHeaders: Record<string, string>;
  /** Null where the operation declares none, and where an answer has no headers of its own, as on a WebSocket. */
  cookies: Cookies | null;
  actor: Actor | null;
  /** The actor's credential, which long-lived connections check again; null for an anonymous caller. */
  credential: Authenticated | null;
  organization: CurrentOrganization | null;
  /** The limits of this call that its service takes with its own; null where they are taken already. */
  dueLimits: DueLimits | null;
  /** The connection that carries many calls or events, such as a WebSocket; null where a call comes alone. */
  connection: Connection | null;
}

export interface Connection {
  /** How many subscriptions are open on it. */
  subscriptions: number;
  /** True once the client has read what it was sent; false when it has gone, or was dropped for not reading. */
  drained(): Promise<boolean>;
  /** Closes the connection when its caller loses access; null where the connection does that by itself. */
  end: (() => void) | null;
  /** Counts what a WebSocket carries for its calls; null for an answer that lasts. */
  traffic: Traffic | null;
}

/** A signed-in person. */
export interface UserContext extends Context {
  actor: UserActor;
}

/** A signed-in person or an API key. */
export interface ActorContext extends Context {
  actor: UserActor | KeyActor;
}

/** An actor who has the permission in this organization. */
export interface OrganizationContext extends ActorContext {
  organization: CurrentOrganization;
}

/** The same call in another organization, where it has no rights of its own. */
export function within<C extends Context>(ctx: C, organizationId: number): C & { organization: CurrentOrganization } {
  return { ...ctx, organization: { id: organizationId, permissions: new Set() } };
}

/** The context of a call before it is authenticated. */
export function createContext(ports: Ports, request: ApiRequest, cookies: Cookies | null = null): Context {
  return {
    ports,
    ids: ports.ids,
    db: ports.database,
    now: ports.clock.now(),
    request,
    responseHeaders: { 'X-Request-Id': request.requestId },
    cookies,
    actor: null,
    credential: null,
    organization: null,
    dueLimits: null,
    connection: null,
  };
}

/** The context of work without a request: jobs, seeds, the command line. */
export function systemContext(ports: Ports, requestId: string): Context {
  return createContext(ports, {
    requestId,
    ip: '127.0.0.1',
    userAgent: null,
    authorization: undefined,
    apiKey: undefined,
    organizationId: undefined,
    tenantId: undefined,
    host: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    idempotencyKey: undefined,
    origin: undefined,
    batched: false,
    caller: {},
  });
}
