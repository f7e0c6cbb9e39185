import type { AddressInfo } from 'node:net';
import { createIds } from '@rentapi/api/contract/ids';
import { SESSION_ACTOR } from '@rentapi/api/slices/auth/service/authenticate';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { createLogger } from '@rentapi/platform/logger';
import { openRedis } from '@rentapi/platform/redis';
import { createKeyring } from '@rentapi/platform/secrets';
import express from 'express';
import { jwtVerify } from 'jose';
import pg from 'pg';

/**
 * The baseline: `GET /users/me` as a careful engineer writes it by hand, and nothing else. The same token, bucket,
 * statement and answer; no validation of the answer, no headers beyond Express's, no second route.
 */
const { SECRET_KEY = '', ID_SECRET = '', DATABASE_URL, REDIS_URL, PUBLIC_URL = '' } = process.env;
const ids = createIds(ID_SECRET);
// jose imports any other form of the key again for every token, which doubles the cost.
const key = createKeyring(SECRET_KEY)
  .key('rentapi/jwt')
  .toCryptoKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
const limiter = REDIS_URL
  ? createRedisLimiter(openRedis(REDIS_URL, createLogger({ level: 'warn' })))
  : createMemoryLimiter();
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
pool.on('error', () => {});

const app = express();
app.disable('x-powered-by');
app.disable('etag'); // a hash of every answer would make us look better

app.get('/users/me', async (req, res) => {
  const token = req.headers.authorization?.slice('Bearer '.length) ?? '';
  const { payload } = await jwtVerify<{ sid: string }>(token, key, {
    algorithms: ['HS256'],
    issuer: PUBLIC_URL,
    audience: 'rentapi',
  });
  const userId = ids.decode('usr', payload.sub ?? '');
  const { rows } = await pool.query({ ...SESSION_ACTOR, values: [payload.sid, userId, null, null] });
  const row = rows[0];
  if (!row || row.sessionRevokedAt || row.sessionExpiresAt <= new Date() || row.status !== 'ACTIVE') {
    res.status(401).json({ error: 'unauthorized' });
    return;
  }
  const taken = await limiter.take([{ name: 'user', key: `user:${userId}`, size: 10_000_000, windowMs: 60_000 }]);
  if (!taken.allowed) {
    res.status(429).json({ error: 'too many requests' });
    return;
  }
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
});

const server = app.listen(0, '127.0.0.1', () => {
  process.stderr.write(`The floor is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
