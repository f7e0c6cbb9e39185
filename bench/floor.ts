import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIds } from '@rentapi/api/contract/ids';
import { SESSION_ACTOR } from '@rentapi/api/slices/auth/service/authenticate';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { createLogger } from '@rentapi/platform/logger';
import { openRedis } from '@rentapi/platform/redis';
import { createKeyring } from '@rentapi/platform/secrets';
import express from 'express';
import pg from 'pg';

/**
 * The baseline: `GET /users/me` as a careful engineer writes it by hand, and nothing else. The same token, bucket,
 * statement and answer; no validation of the answer, no headers of its own, no second route. `node bench/floor.ts http`
 * is a bare `node:http` server, `express` the same behind Express 5.
 */
const { SECRET_KEY = '', ID_SECRET = '', DATABASE_URL, REDIS_URL, PUBLIC_URL = '' } = process.env;
const ids = createIds(ID_SECRET);
const key = createKeyring(SECRET_KEY).key('rentapi/jwt');
const limiter = REDIS_URL
  ? createRedisLimiter(openRedis(REDIS_URL, createLogger({ level: 'warn' })))
  : createMemoryLimiter();
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
pool.on('error', () => {});

interface Answer {
  status: number;
  body: object;
}

async function getMe(authorization: string | undefined): Promise<Answer> {
  const claims = verify(authorization?.slice('Bearer '.length) ?? '');
  if (!claims) return { status: 401, body: { error: 'unauthorized' } };
  const userId = ids.decode('usr', claims.sub);
  const { name, text } = SESSION_ACTOR;
  const { rows } = await pool.query({ name, text, values: [claims.sid, userId, null, null] });
  const row = rows[0];
  if (!row || row.sessionRevokedAt || row.sessionExpiresAt <= new Date() || row.status !== 'ACTIVE') {
    return { status: 401, body: { error: 'unauthorized' } };
  }
  const taken = await limiter.take([{ name: 'user', key: `user:${userId}`, size: 10_000_000, windowMs: 60_000 }]);
  if (!taken.allowed) return { status: 429, body: { error: 'too many requests' } };
  const body = {
    id: ids.encode('usr', Number(row.id)),
    email: row.email,
    username: row.username,
    fullName: row.fullName,
    avatarUrl: row.avatarId === null ? null : `/api/v1/avatars/${ids.encode('avt', Number(row.avatarId))}`,
    status: row.status,
    role: row.role,
    emailVerifiedAt: row.emailVerifiedAt?.toISOString() ?? null,
    twoFactorEnabled: row.twoFactorEnabledAt !== null,
    defaultOrganizationId: ids.encode('org', Number(row.defaultOrganizationId)),
    metadata: row.metadata,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
  return { status: 200, body };
}

/** At once: a library would ask another thread for the HMAC, and look slower than a careful engineer needs to be. */
function verify(token: string): { sub: string; sid: string } | null {
  const end = token.lastIndexOf('.');
  const [header = '', payload = ''] = token.slice(0, end).split('.');
  const { alg, typ } = JSON.parse(Buffer.from(header, 'base64url').toString() || '{}');
  const expected = Buffer.from(createHmac('sha256', key).update(token.slice(0, end)).digest('base64url'));
  const signature = Buffer.from(token.slice(end + 1));
  if (alg !== 'HS256' || typ !== 'at+jwt') return null;
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null;
  const { iss, aud, exp, sub, sid } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return iss === PUBLIC_URL && aud === 'rentapi' && exp * 1000 > Date.now() ? { sub, sid } : null;
}

function startHttp(): Server {
  return createServer(async (req, res) => {
    const { status, body } =
      req.method === 'GET' && req.url === '/users/me'
        ? await getMe(req.headers.authorization)
        : { status: 404, body: { error: 'not found' } };
    const text = JSON.stringify(body);
    res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
  }).listen(0, '127.0.0.1');
}

function startExpress(): Server {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // a hash of every answer would make us look better
  app.get('/users/me', async (req, res) => {
    const { status, body } = await getMe(req.headers.authorization);
    res.status(status).json(body);
  });
  return app.listen(0, '127.0.0.1');
}

const server = process.argv[2] === 'express' ? startExpress() : startHttp();
server.once('listening', () => {
  process.stderr.write(`The floor is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
