import {
  createCipheriv,
  createHash,
  createHmac,
  randomBytes,
  randomInt,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIds } from '@rentapi/api/contract/ids';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { createLogger } from '@rentapi/platform/logger';
import { openRedis } from '@rentapi/platform/redis';
import { createKeyring } from '@rentapi/platform/secrets';
import pg from 'pg';

/**
 * The baseline of lists and writes: API keys as a careful engineer writes them by hand on bare `node:http`, and nothing
 * else. The same token, bucket, statements and answers; no validation, no headers, no metrics, no second route.
 */
const { SECRET_KEY = '', ID_SECRET = '', DATABASE_URL, REDIS_URL } = process.env;
const ids = createIds(ID_SECRET);
const keyring = createKeyring(SECRET_KEY);
const [tokenKey, inputKey, answerKey] = ['jwt', 'idempotency/input', 'idempotency/answer'].map((purpose) =>
  keyring.key(`rentapi/${purpose}`),
) as [ReturnType<typeof keyring.key>, ReturnType<typeof keyring.key>, ReturnType<typeof keyring.key>];
const limiter = REDIS_URL
  ? createRedisLimiter(openRedis(REDIS_URL, createLogger({ level: 'warn' })))
  : createMemoryLimiter();
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
pool.on('error', () => {});

interface Caller {
  userId: number;
  organizationId: number;
  sessionId: number;
}

/** As the product's actor cache: a caller who came before costs no statement. */
const callers = new Map<string, Caller>();

async function authenticate({ headers }: IncomingMessage): Promise<Caller> {
  const token = headers.authorization?.slice('Bearer '.length) ?? '';
  const [signed, last] = [token.slice(0, token.lastIndexOf('.')), token.lastIndexOf('.')];
  const expected = Buffer.from(createHmac('sha256', tokenKey).update(signed).digest('base64url'));
  const given = Buffer.from(token.slice(last + 1));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Error('not our token');
  const { sub, sid, exp } = JSON.parse(Buffer.from(signed.slice(signed.indexOf('.') + 1), 'base64url').toString());
  if (exp * 1000 < Date.now()) throw new Error('an old token');
  const caller = callers.get(sid) ?? (await readCaller(ids.decode('usr', sub), sid));
  callers.set(sid, caller);
  const key = `user:${caller.userId}`;
  const taken = await limiter.take([{ name: 'user', key, size: 10_000_000, windowMs: 60_000 }]);
  if (!taken.allowed) throw new Error('too many requests');
  return caller;
}

async function readCaller(userId: number, sid: string): Promise<Caller> {
  const { rows } = await pool.query<Caller>(
    `select s.id::integer as "sessionId", u.id::integer as "userId", u.default_organization_id::integer as "organizationId"
     from sessions s join users u on u.id = s.user_id where s.public_id = $1 and s.user_id = $2`,
    [sid, userId],
  );
  return rows[0]!;
}

interface KeyRow {
  id: string;
  name: string;
  description: string | null;
  prefix: string;
  last4: string;
  environment: string;
  scopes: string[];
  ip_allow_list: string[];
  allowed_origins: string[];
  rate_limit_per_minute: number | null;
  rate_limit_per_hour: number | null;
  rate_limit_per_day: number | null;
  external_id: string | null;
  permissions: string[];
  credits: object | null;
  rate_limits: Record<string, object>;
  metadata: object;
  enabled: boolean;
  created_by: string | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
  updated_at: Date;
  last_used_at?: Date | null;
  last_used_ip?: string | null;
}

function present(row: KeyRow) {
  return {
    id: ids.encode('key', Number(row.id)),
    name: row.name,
    description: row.description,
    prefix: row.prefix,
    last4: row.last4,
    environment: row.environment,
    scopes: row.scopes,
    ipAllowList: row.ip_allow_list,
    allowedOrigins: row.allowed_origins,
    rateLimitPerMinute: row.rate_limit_per_minute,
    rateLimitPerHour: row.rate_limit_per_hour,
    rateLimitPerDay: row.rate_limit_per_day,
    externalId: row.external_id,
    permissions: row.permissions,
    credits: row.credits,
    rateLimits: Object.entries(row.rate_limits).map(([name, limit]) => ({ name, ...limit })),
    metadata: row.metadata,
    enabled: row.enabled,
    createdBy: row.created_by === null ? null : ids.encode('usr', Number(row.created_by)),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    lastUsedIp: row.last_used_ip ?? null,
  };
}

const COLUMNS = `id, name, description, prefix, last4, environment, scopes, ip_allow_list, allowed_origins, rate_limit_per_minute,
  rate_limit_per_hour, rate_limit_per_day, external_id, permissions, credits, rate_limits, metadata, enabled, created_by, expires_at, revoked_at, created_at, updated_at`;

async function list({ organizationId }: Caller) {
  const { rows } = await pool.query<KeyRow>({
    name: 'keys',
    text: `select ${COLUMNS}, last_used_at, last_used_ip from api_keys
      left join (select api_key_id, last_used_at, last_used_ip from api_key_uses where organization_id = $1) uses on api_key_id = id
      where organization_id = $1 order by id desc limit $2`,
    values: [organizationId, 101],
  });
  const page = rows.slice(0, 100);
  const signed = page.at(-1) && createHmac('sha256', tokenKey).update(page.at(-1)!.id).digest('base64url');
  return { items: page.map(present), nextCursor: rows.length > page.length ? signed : null };
}

/** The statements of the product's `apiKeys.create`, one after the other. */
const STATEMENTS = {
  claim: `insert into idempotency_keys (key_hash, input_mac, token, claimed_at) values ($1, $2, $3, now())
    on conflict (key_hash) do nothing`,
  lock: `with person as (select id from users where id = $2 for key share)
    select o.* from person cross join organizations o where o.id = $1 for update of o`,
  member: `select m.role, m.custom_permissions, exists (select from sessions where id = $3 and revoked_at is not null) as revoked
    from organization_members m where m.organization_id = $1 and m.user_id = $2`,
  count: 'select count(*)::integer as count from api_keys where organization_id = $1 and revoked_at is null',
  add: `insert into api_keys (organization_id, name, secret_hash, prefix, last4, environment, scopes, created_by, created_at, updated_at)
    values ($1, $2, $3, $4, $5, 'live', $6, $7, $8, $8) returning ${COLUMNS}`,
  record: `with event as (
      insert into events (organization_id, type, data, created_at) values ($1, 'api_key.created', $2, $3) returning id
    ), work as (
      insert into outbox (event_id, job, available_at) select event.id, job, $3 from event, unnest($4::text[]) job
    )
    insert into audit_logs (organization_id, event_id, action, actor_kind, actor_id, target_kind, target_id, after, ip, user_agent, request_id, created_at)
    select $1, event.id, 'api_key.created', 'user', $5, 'api_keys', $6, $7, '127.0.0.1', null, $8, $3 from event`,
  settle: 'update idempotency_keys set answer = $3 where key_hash = $1 and token = $2',
};

const statement = (name: keyof typeof STATEMENTS, values: unknown[]) => ({ name, text: STATEMENTS[name], values });

const MAX_KEYS = 1000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

async function create(caller: Caller, req: IncomingMessage) {
  const { userId, organizationId, sessionId } = caller;
  const text = await readBody(req);
  const input = JSON.parse(text) as { name: string; scopes: string[] };
  const scope = `${userId}\n${organizationId}\ncreate\n${req.headers['idempotency-key']}`;
  const [keyHash, token] = [createHash('sha256').update(scope).digest(), randomUUID()];
  const claimed = await pool.query(
    statement('claim', [keyHash, createHmac('sha256', inputKey).update(text).digest(), token]),
  );
  if (claimed.rowCount !== 1) throw new Error('a repeat');
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(statement('lock', [organizationId, userId]));
    const { rows: members } = await client.query(statement('member', [organizationId, userId, sessionId]));
    if (members[0]?.role !== 'OWNER' || members[0].revoked) throw new Error('not allowed');
    const { rows: counted } = await client.query(statement('count', [organizationId]));
    if (counted[0].count >= MAX_KEYS) throw new Error('too many keys');
    const secret = `rapi_live_${Array.from({ length: 36 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`;
    const secretHash = createHash('sha256').update(secret).digest();
    const now = new Date();
    const fields = [input.name, secretHash, secret.slice(0, 14), secret.slice(-4), input.scopes, userId, now];
    const { rows: added } = await client.query<KeyRow>(statement('add', [organizationId, ...fields]));
    const shown = present(added[0]!);
    const data = JSON.stringify(shown);
    await client.query(statement('record', [organizationId, data, now, [], userId, added[0]!.id, data, token]));
    const answer = { ...shown, secret };
    await client.query(statement('settle', [keyHash, token, seal(scope, JSON.stringify(answer))]));
    await client.query('commit');
    return answer;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

function seal(scope: string, text: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', createHmac('sha256', answerKey).update(scope).digest(), nonce);
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const caller = await authenticate(req);
  const isPost = req.method === 'POST';
  const text = JSON.stringify(isPost ? await create(caller, req) : await list(caller));
  const type = 'application/json; charset=utf-8';
  res.writeHead(isPost ? 201 : 200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

const server = createServer((req, res) => {
  answer(req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
});
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`The floor is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
