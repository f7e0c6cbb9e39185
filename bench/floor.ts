import { createSecretKey } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createIds } from '@rentapi/api/contract/ids';
import { USER_COLUMNS } from '@rentapi/api/slices/users/model';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { createKeyring } from '@rentapi/platform/secrets';
import express from 'express';
import { jwtVerify } from 'jose';
import pg from 'pg';

/**
 * The floor that we measure ourselves against: `GET /users/me` as a careful person writes it by hand, and nothing else. The
 * same token, bucket, statement and answer; no validation of the answer, no headers beyond Express's, no second route.
 */
const { SECRET_KEY = '', ID_SECRET = '', DATABASE_URL, PUBLIC_URL = '' } = process.env;
const ids = createIds(ID_SECRET);
// jose imports any other form of the key anew for every token, which doubles the cost.
const key = createSecretKey(createKeyring(SECRET_KEY).key('rentapi/jwt')).toCryptoKey(
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify'],
);
const limiter = createMemoryLimiter();
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
pool.on('error', () => {});

/** The product's own statement, word for word: `session_actor` in its `authenticate.ts`. */
const SESSION = {
  name: 'session_actor',
  text: `
    select s.id as "sessionId", s.revoked_at as "sessionRevokedAt", s.expires_at as "sessionExpiresAt",
           s.authenticated_at as "authenticatedAt", named.id as "subdomainId", m.organization_id as "memberOrganizationId",
           m.role as "memberRole", m.custom_permissions as "customPermissions", o.deleted_at as "deletedAt", ${USER_COLUMNS}
    from sessions s
    join users u on u.id = s.user_id
    left join organizations named on named.subdomain = $4
    left join organization_members m
      on m.user_id = u.id and m.organization_id = coalesce($3, named.id, u.default_organization_id)
    left join organizations o on o.id = m.organization_id
    where s.public_id = $1 and s.user_id = $2`,
};

const app = express();
app.disable('x-powered-by');
app.disable('etag'); // a hash of every answer would flatter us

app.get('/users/me', async (req, res) => {
  const token = req.headers.authorization?.slice('Bearer '.length) ?? '';
  const { payload } = await jwtVerify<{ sid: string }>(token, key, {
    algorithms: ['HS256'],
    issuer: PUBLIC_URL,
    audience: 'rentapi',
  });
  const userId = ids.decode('usr', payload.sub ?? '');
  const { rows } = await pool.query({ ...SESSION, values: [payload.sid, userId, null, null] });
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
