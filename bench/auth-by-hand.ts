import { randomUUID } from 'node:crypto';
import { createPasswords, type Passwords } from '@rentapi/api/slices/auth/passwords';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import pg from 'pg';
import type { Stage } from './stage.ts';

/** Logins and refreshes as a bare loop: their statements on a pool, and nothing around them. */
export interface ByHand {
  pool: pg.Pool;
  passwords: Passwords;
  password: string;
  close(): Promise<void>;
}

export async function openByHand(stage: Stage, connections: number, password: string): Promise<ByHand> {
  const pool = new pg.Pool({ connectionString: stage.databaseUrl, max: connections });
  const passwords = createPasswords({ pepper: stage.secrets.PASSWORD_PEPPER, cost: 4, atOnce: connections });
  return { pool, passwords, password, close: () => pool.end() };
}

const DAY = "interval '7 days'";

export async function loginByHand(
  { pool, passwords, password }: ByHand,
  { id, email }: { id: number; email: string },
): Promise<void> {
  const address = tokenHash(email);
  const { rows } = await pool.query('select * from users where email_key = $1', [email]);
  await pool.query(RESERVE, [address, id]);
  await passwords.compare(password, rows[0].password_hash);
  await pool.query('delete from sign_in_attempts where address = $1', [address]);
  await inTransaction(pool, async (client) => {
    await client.query('select * from users where id = $1 for share', [id]);
    await client.query('select pg_advisory_xact_lock($1)', [id]);
    await client.query(OLDEST, [id]);
    const session = await client.query(SESSION, [id]);
    await client.query(RECORD, [id, session.rows[0].id, randomUUID()]);
    await client.query(SOURCE, [id]);
    await client.query(TOKEN, [session.rows[0].id, tokenHash(newToken())]);
  });
}

export async function refreshByHand({ pool }: ByHand, token: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    const found = await client.query('select * from refresh_tokens where token_hash = $1 for update', [
      tokenHash(token),
    ]);
    const [parent] = found.rows;
    const session = await client.query('select * from sessions where id = $1', [parent.session_id]);
    await client.query('select * from users where id = $1', [session.rows[0].user_id]);
    const child = await client.query(TOKEN, [parent.session_id, tokenHash(newToken())]);
    await client.query('update refresh_tokens set used_at = now(), child_id = $2, child_sealed = $3 where id = $1', [
      parent.id,
      child.rows[0].id,
      tokenHash(token),
    ]);
    await client.query('update refresh_tokens set child_sealed = null where child_id = $1', [parent.id]);
    await client.query(`update sessions set expires_at = now() + ${DAY} where id = $1`, [parent.session_id]);
  });
}

async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } finally {
    client.release();
  }
}

const RESERVE = `
  insert into sign_in_attempts as bucket (address, source, failures, resets_at)
  select $1, case when exists (select from sign_in_sources where user_id = $2 and network = '127.0.0.1') then $1
                  else ''::bytea end, 1, now() + interval '30 minutes'
  on conflict (address, source) do update set failures = bucket.failures + 1 returning failures`;

const OLDEST = `
  update sessions set revoked_at = now() where id in (
    select id from sessions where user_id = $1 and revoked_at is null and expires_at > now() order by id desc offset 99
  ) returning *`;

const SESSION = `
  insert into sessions (user_id, ip, user_agent, authenticated_at, created_at, expires_at)
  values ($1, '127.0.0.1', 'by hand', now(), now(), now() + ${DAY}) returning *`;

const RECORD = `
  with event as (
    insert into events (organization_id, type, data, created_at)
    values (null, 'session.started', jsonb_build_object('sessionId', $3::text), now()) returning id
  )
  insert into audit_logs (event_id, action, actor_kind, actor_id, target_kind, target_id, ip, request_id, created_at)
  select event.id, 'session.started', 'user', $1, 'sessions', $2, '127.0.0.1', $3, now() from event`;

const SOURCE = `
  insert into sign_in_sources (user_id, network, device, used_at) values ($1, '127.0.0.1', 'by hand', now())
  on conflict (user_id, network, device) do update set used_at = excluded.used_at returning *`;

const TOKEN = `
  insert into refresh_tokens (session_id, token_hash, created_at, expires_at)
  values ($1, $2, now(), now() + ${DAY}) returning *`;
