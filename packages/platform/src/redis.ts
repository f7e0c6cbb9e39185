import { Cluster, type ClusterOptions, Redis as Connection, type RedisOptions } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { Logger } from './logger.ts';
import { parseRedisUrl, type RedisAddress } from './redis/address.ts';

/** Commands of one Redis, or of a Redis Cluster, which answers the same ones. */
export type RedisClient = Connection | Cluster;

/**
 * The process's connection to Redis. It never waits for a Redis that is away: a command fails at once, or after a
 * second where the other side has gone silent, and from then on none is sent until a probe in the background was
 * answered.
 */
export interface Redis {
  readonly address: RedisAddress;
  /** False from the first failure until every master answers again. */
  readonly available: boolean;
  /** Whether it has answered at least once: until then the address may be wrong. */
  readonly reached: boolean;
  /** For libraries that use ioredis themselves. */
  readonly client: RedisClient;
  /** Throws `RedisUnavailableError` where Redis does not answer; what it answers, errors included, is passed on. */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Probes every master now. */
  probe(): Promise<boolean>;
  close(): Promise<void>;
}

export class RedisUnavailableError extends Error {
  override name = 'RedisUnavailableError';
}

const TIMEOUT_MS = 1000;
const RECONNECT = { firstMs: 50, maxMs: 500 };
const PROBE_EVERY_MS = 250;
/** More waiting commands than this mean that Redis has fallen behind; adding to them would make it worse. */
const MAX_IN_FLIGHT = 10_000;

/** The prefix of all names in Redis, so that a Redis can be shared with other programs. */
export const REDIS_PREFIX = 'rentapi:';

/** Connects in the background. */
export function openRedis(url: string, log: Logger): Redis {
  const address = parseRedisUrl(url);
  if (!address) throw new TypeError('REDIS_URL is not an address of Redis');
  const client = address.cluster ? connectCluster(address) : new Connection(connectionOptions(address));
  let state: 'unknown' | 'up' | 'down' = 'unknown';
  let reached = false;
  let inFlight = 0;
  let probing = false;

  function down(error: unknown): void {
    if (state === 'down') return;
    // Only its sentence: ioredis attaches the command to an error, and with AUTH the password.
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ reason }, `Redis does not answer: ${state === 'up' ? 'going on' : 'starting'} without it`);
    state = 'down';
  }

  function up(): void {
    if (state === 'down') log.info('Redis answers again');
    state = 'up';
    reached = true;
  }

  async function probe(): Promise<boolean> {
    if (client.status !== 'ready') return false;
    try {
      return client instanceof Cluster ? await isWhole(client) : (await client.ping()) === 'PONG';
    } catch {
      return false;
    }
  }

  async function watch(): Promise<void> {
    if (state === 'up' || probing) return;
    probing = true;
    if (await probe()) up();
    probing = false;
  }

  client.on('error', down);
  client.on('close', () => down(new RedisUnavailableError('the connection was closed')));
  client.on('ready', watch);
  const timer = setInterval(watch, PROBE_EVERY_MS).unref();

  return {
    address,
    client,
    get available() {
      return state === 'up' && client.status === 'ready';
    },
    get reached() {
      return reached;
    },
    async run(command) {
      if (state !== 'up' || client.status !== 'ready') throw new RedisUnavailableError('Redis does not answer');
      if (inFlight >= MAX_IN_FLIGHT) throw new RedisUnavailableError('Redis answers too slowly');
      inFlight++;
      try {
        return await command(client);
      } catch (error) {
        if (isAnswer(error)) throw error;
        down(error);
        throw new RedisUnavailableError('Redis does not answer'); // logged, with its reason
      } finally {
        inFlight--;
      }
    },
    probe,
    async close() {
      clearInterval(timer);
      client.removeAllListeners('close');
      client.disconnect();
    },
  };
}

/** Whether all slots have a master that we are connected to, and that agrees. */
async function isWhole(cluster: Cluster): Promise<boolean> {
  const masters = cluster.nodes('master');
  const connected = new Set(masters.map(({ options }) => `${options.host}:${options.port}`));
  const owners = new Set(cluster.slots.map(([owner]) => owner));
  if (owners.size === 0 || ![...owners].every((owner) => owner && connected.has(owner))) {
    cluster.refreshSlotsCache(); // a lost node is not looked for otherwise
    return false;
  }
  const states = await Promise.all(masters.map((master) => master.cluster('INFO')));
  return states.every((state) => String(state).includes('cluster_state:ok'));
}

/** Options that every connection shares, including those opened outside the pool. */
export function connectionOptions(address: RedisAddress): RedisOptions {
  const [node] = address.nodes;
  return {
    ...node,
    db: address.db,
    ...(address.username && { username: address.username }),
    ...(address.password && { password: address.password }),
    ...(address.tls && { tls: {} }),
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    // A connection on which nothing comes back is cut, so that a Redis that moved is found again.
    socketTimeout: 2 * TIMEOUT_MS,
    keepAlive: 10_000,
    // Nothing is queued and nothing is sent twice: the caller gets the error, and decides.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
    // The name now leads to another primary: look it up again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function connectCluster(address: RedisAddress): Cluster {
  const { host: _host, port: _port, db: _db, ...redisOptions } = connectionOptions(address);
  const options: ClusterOptions = {
    redisOptions,
    // A command for a node that is just being connected to waits for it, as long as a command may take. Without this it
    // goes to other nodes, and fails.
    enableOfflineQueue: true,
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshTimeout: TIMEOUT_MS,
    // A command for a node that is being replaced is tried again three times, so that a failover is not an outage.
    maxRedirections: 3,
    retryDelayOnFailover: 100,
    retryDelayOnClusterDown: 100,
    // Certificates name hosts, not addresses.
    ...(address.tls && { dnsLookup: (name, done) => done(null, name) }),
  };
  return new Cluster(address.nodes, options);
}

function reconnectDelay(attempt: number): number {
  return backoffMs(attempt, RECONNECT);
}

const NOT_SERVING = /^(CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|TRYAGAIN|BUSY|MISCONF|OOM|NOAUTH|NOREPLICAS)/;

/** Whether Redis itself answered with an error while it works normally: then the command is wrong. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && !NOT_SERVING.test(error.message);
}
