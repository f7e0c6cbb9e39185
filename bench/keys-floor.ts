import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createIds } from '@rentapi/api/contract/ids';
import { createMetrics } from '@rentapi/api/pipeline/observe-metrics';
import { createUsageLog } from '@rentapi/api/pipeline/usage-log';
import { KEY_ACTOR } from '@rentapi/api/slices/api-keys/authenticate';
import { createPostgresSink } from '@rentapi/api/slices/usage/postgres-sink';
import type { Lease } from '@rentapi/platform/allowances';
import { createRedisAllowances } from '@rentapi/platform/allowances/redis';
import { createDatabase } from '@rentapi/platform/database';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { createLogger } from '@rentapi/platform/logger';
import { openRedis } from '@rentapi/platform/redis';
import express from 'express';
import pg from 'pg';

/**
 * What a careful engineer writes by hand behind Express 5, and nothing else: the creator of a key, read with the same
 * statement, limited and logged in the same way; and the verdict about a customer's key, which it has in memory, with
 * the same script of Redis.
 */
const { ID_SECRET = '', DATABASE_URL = '', REDIS_URL } = process.env;
const ids = createIds(ID_SECRET);
const log = createLogger({ level: 'warn' });
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
pool.on('error', () => {});
const limiter = createMemoryLimiter();
const database = createDatabase({
  url: DATABASE_URL,
  poolMin: 0,
  poolMax: 2,
  acquireTimeoutMs: 10_000,
  statementTimeoutMs: 30_000,
  applicationName: 'rentapi bench',
});
const usage = createUsageLog({ sink: createPostgresSink(database), flushMs: 1000, log, metrics: createMetrics() });
const allowances = REDIS_URL ? createRedisAllowances(openRedis(REDIS_URL, log)) : undefined;

const MINUTE_MS = 60_000;
const LIMITS = [
  ['key', MINUTE_MS],
  ['plan-hour', 60 * MINUTE_MS],
  ['plan-day', 1440 * MINUTE_MS],
  ['key-minute', MINUTE_MS],
  ['key-hour', 60 * MINUTE_MS],
] as const;
const SIZE = 1_000_000_000;
const sha256 = (text: unknown): Buffer => createHash('sha256').update(String(text)).digest();

const app = express();
app.disable('x-powered-by');
app.disable('etag'); // a hash of every answer would make us look better
app.use(express.json());

app.get('/users/me', async (req, res) => {
  const began = performance.now();
  const { name, text } = KEY_ACTOR;
  const { rows } = await pool.query({ name, text, values: [sha256(req.headers['x-api-key'])] });
  const row = rows[0];
  if (!row || row.revokedAt || !row.enabled) return void res.status(401).json({ error: 'unauthorized' });
  const taken = await limiter.take(
    LIMITS.map(([name, windowMs]) => ({
      name,
      key: `${row.organizationId}:${row.keyId}:${name}`,
      size: SIZE,
      windowMs,
    })),
  );
  if (!taken.allowed) return void res.status(429).json({ error: 'too many requests' });
  res.json({
    id: ids.encode('usr', Number(row.id)),
    email: row.email,
    username: row.username,
    fullName: row.fullName,
    status: row.status,
    role: row.role,
    emailVerifiedAt: row.emailVerifiedAt?.toISOString() ?? null,
    defaultOrganizationId: ids.encode('org', Number(row.defaultOrganizationId)),
    metadata: row.metadata,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  });
  usage.note({
    callId: 0,
    occurredAt: new Date(),
    organizationId: Number(row.organizationId),
    keyId: Number(row.keyId),
    userId: null,
    procedure: 'users.me.get',
    transport: 'rest',
    environment: 'live',
    status: 200,
    latencyUs: Math.round((performance.now() - began) * 1000),
    bytesIn: 0,
    bytesOut: 0,
    ip: '127.0.0.1',
    userAgent: null,
    cost: 0,
    requestId: '',
  });
});

const KNOWN = `
  select id, organization_id as "organizationId", external_id as "externalId", permissions, rate_limits as "rateLimits", metadata
  from api_keys where secret_hash = $1`;
/** More than all calls of the bench spend. */
const LEASE: Lease = { generation: 1, untilMs: Number.MAX_SAFE_INTEGER, credits: 1_000_000_000, rest: 0 };
const known = new Map<string, Record<string, unknown>>();

async function findKey(secret: unknown): Promise<Record<string, unknown> | undefined> {
  const hash = sha256(secret);
  const remembered = known.get(hash.toString('base64'));
  if (remembered) return remembered;
  const { rows } = await pool.query({ text: KNOWN, values: [hash] });
  if (rows[0]) known.set(hash.toString('base64'), rows[0]);
  return rows[0];
}

app.post('/api-keys/verify', async (req, res) => {
  const [caller, key] = [await findKey(req.headers['x-api-key']), await findKey(req.body.key)];
  if (!caller || !key || !allowances) return void res.status(401).json({ error: 'unauthorized' });
  const [tag, own] = [`{floor}${key['id']}`, `{floor}${caller['id']}`];
  const limits = Object.entries(key['rateLimits'] as Record<string, { limit: number; windowS: number }>);
  const now = Date.now();
  const expense = {
    due: [],
    buckets: [
      ...LIMITS.map(([name, windowMs]) => ({ name, key: `${own}:${name}`, size: SIZE, windowMs })),
      ...limits.map(([name, { limit, windowS }]) => ({
        name,
        key: `${tag}:${name}`,
        size: limit,
        windowMs: windowS * 1000,
      })),
    ],
    credits: { key: `${tag}:credits`, generation: 1, cost: Number(req.body.cost) },
    nowMs: now,
    turn: 'floor',
  };
  let spent = await allowances.spend(expense);
  if (spent.outcome === 'lease') spent = await allowances.spend(expense, LEASE);
  res.json({
    valid: spent.outcome === 'spent',
    code: spent.outcome === 'spent' ? 'VALID' : 'USAGE_EXCEEDED',
    keyId: ids.encode('key', Number(key['id'])),
    organizationId: ids.encode('org', Number(key['organizationId'])),
    externalId: key['externalId'],
    permissions: key['permissions'],
    remaining: spent.lease && spent.lease.credits + spent.lease.rest,
    resetAt: null,
    retryAfter: null,
    rateLimits: spent.states.slice(LIMITS.length).map(({ bucket, remaining, resetMs }) => ({
      name: bucket.name,
      remaining,
      resetAt: new Date(now + resetMs).toISOString(),
    })),
    metadata: key['metadata'],
  });
});

const server = app.listen(0, '127.0.0.1', () => {
  process.stderr.write(`The floor is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
