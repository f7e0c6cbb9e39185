import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { openProviders, type PaymentProviders } from '@rentapi/payments/providers';
import { type Allowances, createMemoryAllowances } from '@rentapi/platform/allowances';
import { createRedisAllowances } from '@rentapi/platform/allowances/redis';
import { createMemoryCache } from '@rentapi/platform/cache';
import { createRedisCache } from '@rentapi/platform/cache/redis';
import { type Clock, systemClock } from '@rentapi/platform/clock';
import { createDatabase, type Knex } from '@rentapi/platform/database';
import { type Env, withPort } from '@rentapi/platform/env';
import type { ErrorReporter } from '@rentapi/platform/error-reporting';
import { createMemoryLimiter, type Limiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import type { Logger } from '@rentapi/platform/logger';
import type { Mailer } from '@rentapi/platform/mail';
import { createNotifications } from '@rentapi/platform/notifications';
import { createOutbound } from '@rentapi/platform/outbound';
import { createMemoryPresence } from '@rentapi/platform/presence';
import { createRedisPresence } from '@rentapi/platform/presence/redis';
import { createMemoryProcessReports } from '@rentapi/platform/process-reports';
import { createRedisProcessReports } from '@rentapi/platform/process-reports/redis';
import { createMemoryPubSub } from '@rentapi/platform/pubsub';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import { createMemoryRecentCalls } from '@rentapi/platform/recent-calls';
import { createRedisRecentCalls } from '@rentapi/platform/recent-calls/redis';
import { openRedis, type Redis } from '@rentapi/platform/redis';
import { createKeyring } from '@rentapi/platform/secrets';
import { readPublicKeys, readSigningKey } from '@rentapi/platform/signing-keys';
import { createMemorySlots } from '@rentapi/platform/slots';
import { createRedisSlots } from '@rentapi/platform/slots/redis';
import { createLocalStorage } from '@rentapi/platform/storage/local';
import type { Tracer } from '@rentapi/platform/tracing';
import type { Ports } from './context.ts';
import { createIds } from './contract/ids.ts';
import { createCursors } from './contract/pagination.ts';
import { createFeed } from './events/feed.ts';
import { createJobRegistry } from './jobs/job.ts';
import { createActorCache } from './pipeline/actor-cache.ts';
import { createApiCalls } from './pipeline/api-calls.ts';
import { createMetrics, observeLimiter } from './pipeline/observe-metrics.ts';
import { createOrigins, type Origins } from './pipeline/origins.ts';
import { createUsageLog } from './pipeline/usage-log.ts';
import { authenticateApiKey, looksLikeKey } from './slices/api-keys/authenticate.ts';
import { giveBackCredits } from './slices/api-keys/credits.ts';
import { createKeyUses } from './slices/api-keys/last-used.ts';
import { isOriginOfKey } from './slices/api-keys/origins.ts';
import { createAccessTokens } from './slices/auth/access-tokens.ts';
import { createLastSeen } from './slices/auth/last-seen.ts';
import { createPasswords } from './slices/auth/passwords.ts';
import { authenticateAccessToken } from './slices/auth/service/authenticate.ts';
import { openPayments } from './slices/billing/providers.ts';
import { fulfilments } from './slices/fulfilments.ts';
import { createOAuthClients } from './slices/oauth/client.ts';
import { projections } from './slices/projections.ts';
import { eventTypes, jobs } from './slices/registry.ts';
import { createTransfers } from './slices/transfers/postgres-transfers.ts';
import { createTwoFactorSecrets } from './slices/two-factor/secrets.ts';
import { createPostgresSink } from './slices/usage/postgres-sink.ts';
import { createWebhookSecrets } from './slices/webhooks/secrets.ts';
import { createConnections } from './wire/connections.ts';
import { createUnfinishedBodies } from './wire/unfinished-bodies.ts';

export interface OpenPorts {
  env: Env;
  log: Logger;
  databaseUrl: string;
  /**
   * The primary, not through a pooler, which would not pass notifications on; `databaseUrl` where there is no pooler.
   */
  directUrl?: string;
  secrets: { SECRET_KEY: string; ID_SECRET: string; PASSWORD_PEPPER: string };
  mailer: Mailer;
  version: string;
  clock?: Clock;
  limiter?: Limiter;
  /** In place of those whose settings are there. */
  payments?: PaymentProviders;
  tracer?: Tracer | null;
  errors?: ErrorReporter | null;
}

/**
 * Opens everything that a process lends to its calls. Connections are lazy: the first query finds out that a database
 * is down.
 */
export function openPorts({
  env,
  log,
  databaseUrl,
  directUrl,
  secrets,
  mailer,
  version,
  clock,
  limiter,
  payments,
  tracer = null,
  errors = null,
}: OpenPorts): Ports {
  const keyring = createKeyring(secrets.SECRET_KEY, env.SECRET_KEYS_OLD);
  const shared = openShared(env, log, clock ?? systemClock);
  const metrics = createMetrics();
  const database = createDatabase({
    url: databaseUrl,
    poolMin: env.DB_POOL_MIN,
    poolMax: env.DB_POOL_MAX,
    acquireTimeoutMs: env.DB_ACQUIRE_TIMEOUT_MS,
    statementTimeoutMs: env.DB_STATEMENT_TIMEOUT_MS,
    applicationName: 'rentapi',
  });
  const notifications = createNotifications({ url: directUrl ?? databaseUrl, log });
  const ids = createIds(secrets.ID_SECRET, () => ports.env.PUBLIC_URL); // which names its port once the server listens
  const ports: Ports = {
    env,
    log,
    clock: clock ?? systemClock,
    database,
    ...shared,
    connections: createConnections(shared.reports, (clock ?? systemClock).now()),
    limiter: observeLimiter(limiter ?? shared.limiter, metrics),
    allowances: openAllowances(shared.redis, database, log),
    mailer,
    bodies: createUnfinishedBodies(env.BODY_LIMIT),
    outbound: createOutbound({
      allowedTargets: env.WEBHOOK_ALLOWED_TARGETS,
      settingName: 'WEBHOOK_ALLOWED_TARGETS',
      allowedHosts: allowedHosts(env),
      timeoutMs: env.WEBHOOK_TIMEOUT_MS,
    }),
    keyring,
    ids,
    apiCalls: createApiCalls({ pubsub: shared.pubsub, ids }),
    storage: createLocalStorage(path.join(env.DATA_DIR, 'storage')),
    cursors: createCursors(keyring),
    authenticators: {
      accessToken: authenticateAccessToken,
      apiKey: authenticateApiKey,
      looksLikeApiKey: looksLikeKey,
    },
    origins: openOrigins({ env, database }),
    accessTokens: createAccessTokens({
      keyring,
      issuer: env.PUBLIC_URL,
      ttlS: env.ACCESS_TOKEN_TTL_S,
      ...signingKeysOf(env),
      startedAt: (clock ?? systemClock).now(),
    }),
    oauth: createOAuthClients(env),
    lastSeen: createLastSeen({ database, log }),
    keyUses: createKeyUses({ database, log }),
    passwords: createPasswords({
      pepper: secrets.PASSWORD_PEPPER,
      oldPeppers: env.PASSWORD_PEPPER_OLD,
      cost: env.BCRYPT_COST,
      atOnce: env.ACCOUNT_LOCKOUT_THRESHOLD,
    }),
    twoFactor: createTwoFactorSecrets({ keyring, idSecret: secrets.ID_SECRET }),
    webhooks: createWebhookSecrets(keyring),
    payments: new Map([
      ...openProviders({ manual: createTransfers(database) }),
      ...(payments ?? openPayments(env, clock ?? systemClock)),
    ]),
    projections,
    fulfilments,
    eventTypes,
    jobs: createJobRegistry(jobs),
    notifications,
    actors: createActorCache({ notifications, log }),
    feed: createFeed({ database, log }),
    metrics,
    usage: createUsageLog({ sink: createPostgresSink(database), flushMs: env.USAGE_FLUSH_MS, log, metrics }),
    tracer,
    errors,
    process: { version, draining: false },
  };
  return ports;
}

function signingKeysOf({ JWT_ALGORITHM, JWT_PRIVATE_KEY, JWT_PUBLIC_KEYS_OLD }: Env) {
  return {
    signingKey: JWT_ALGORITHM !== 'HS256' && JWT_PRIVATE_KEY ? readSigningKey(JWT_PRIVATE_KEY, JWT_ALGORITHM) : null,
    oldKeys: JWT_PUBLIC_KEYS_OLD ? readPublicKeys(JWT_PUBLIC_KEYS_OLD) : [],
  };
}

/**
 * With PORT=0 the server's own address is known only once it listens. The issuer of access tokens does not change:
 * tokens are valid in every process on this database, and after a restart on another port.
 */
export function adoptPort(ports: Ports, port: number): void {
  ports.env = withPort(ports.env, port);
  ports.origins = openOrigins(ports);
}

function openOrigins({ env, database }: Pick<Ports, 'env' | 'database'>): Origins {
  return createOrigins(env, (origin) => isOriginOfKey(database, origin));
}

/** Credits are leased to Redis, or to the memory of the only process, which gives them back at its end. */
/** A host that the operator has set elsewhere needs no place in the list. */
function allowedHosts({ OUTBOUND_ALLOWED_HOSTS: hosts, BREACH_LIST_URL: list }: Env): string[] {
  return list && hosts.length > 0 ? [...hosts, new URL(list).hostname] : hosts;
}

function openAllowances(redis: Redis | null, database: Knex, log: Logger): Allowances {
  if (redis) return createRedisAllowances(redis);
  return createMemoryAllowances({
    giveBack: async (unspent) => {
      await giveBackCredits(database, unspent).catch((error: unknown) => {
        log.error({ err: error }, 'credits that were leased and not spent are lost');
      });
    },
  });
}

/** Shared by all processes through Redis; without Redis there is one process, and its memory is enough. */
function openShared(
  env: Env,
  log: Logger,
  clock: Clock,
): Pick<Ports, 'redis' | 'limiter' | 'slots' | 'cache' | 'pubsub' | 'presence' | 'reports' | 'recentCalls'> {
  const onError = (error: unknown): void => log.error({ err: error }, 'a listener failed');
  if (!env.REDIS_URL) {
    return {
      redis: null,
      limiter: createMemoryLimiter(),
      slots: createMemorySlots(),
      cache: createMemoryCache(),
      pubsub: createMemoryPubSub(onError),
      presence: createMemoryPresence(),
      reports: createMemoryProcessReports(nameOfProcess()),
      recentCalls: createMemoryRecentCalls(clock),
    };
  }
  const redis = openRedis(env.REDIS_URL, log);
  const pubsub = createRedisPubSub(redis, onError);
  return {
    redis,
    limiter: createRedisLimiter(redis),
    slots: createRedisSlots(redis),
    cache: createRedisCache(redis, pubsub),
    pubsub,
    presence: createRedisPresence(redis, pubsub),
    reports: createRedisProcessReports(redis, nameOfProcess()),
    recentCalls: createRedisRecentCalls(redis, clock, onError),
  };
}

/** In containers all processes have the same number, and on one machine the same name. */
const nameOfProcess = (): string => `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;

export async function closePorts(ports: Ports): Promise<void> {
  ports.actors.close();
  await ports.feed.stop();
  await ports.notifications.close();
  await ports.mailer.close();
  ports.outbound.close();
  ports.oauth.close();
  await ports.limiter.close();
  await ports.allowances.close();
  await ports.slots.close();
  await ports.cache.disconnectAll();
  ports.apiCalls.close();
  await ports.reports.close();
  await ports.presence.close();
  await ports.pubsub.close();
  await ports.recentCalls.close();
  await ports.redis?.close();
  await ports.lastSeen.close();
  await ports.keyUses.close();
  await ports.usage.close();
  await ports.database.destroy();
  await Promise.all([ports.tracer?.close(), ports.errors?.close()]);
}
