import { createIds } from '@rentapi/api/contract/ids';
import { createAccessTokens } from '@rentapi/api/slices/auth/access-tokens';
import { createKeyring } from '@rentapi/platform/secrets';
import type { Stage } from './stage.ts';

const TOKEN_TTL_S = 20 * 86_400; // a chaos lets days pass, and no timer waits longer than 24

/**
 * Creates users with a personal organization and `sessions` live sessions each. Returns an access token for every
 * session: first the first session of each user, then the second ones, and so on; users in order of their ids.
 */
export async function createAccounts(
  stage: Pick<Stage, 'database' | 'secrets' | 'issuer'>,
  people: number,
  sessionsEach: number,
): Promise<string[]> {
  const { rows } = await stage.database.query<{ userId: number; sid: string }>(INSERT, [people, sessionsEach]);
  await stage.database.query('analyze');
  const ids = createIds(stage.secrets.ID_SECRET);
  const keyring = createKeyring(stage.secrets.SECRET_KEY);
  const accessTokens = createAccessTokens({ keyring, issuer: stage.issuer, ttlS: TOKEN_TTL_S });
  const now = new Date();
  return Promise.all(rows.map(({ userId, sid }) => accessTokens.sign({ sub: ids.encode('usr', userId), sid }, now)));
}

const INSERT = `
  with homes as (
    insert into organizations (name, personal, plan, created_at, updated_at)
    select 'Organization ' || n, true, 'ENTERPRISE', now(), now() from generate_series(1, $1) n
    returning id
  ), people as (
    insert into users (email, email_key, username, username_key, full_name, email_verified_at, default_organization_id,
                       personal_organization_id, created_at, updated_at)
    select 'person' || id || '@example.com', 'person' || id || '@example.com', 'person' || id, 'person' || id,
           'Person ' || id, now(), id, id, now(), now()
    from homes
    returning id, default_organization_id
  ), members as (
    insert into organization_members (organization_id, user_id, role, created_at)
    select default_organization_id, id, 'OWNER', now() from people
  ), begun as (
    insert into sessions (user_id, ip, user_agent, created_at, expires_at)
    select id, '127.0.0.1', 'bench ' || n, now(), now() + interval '30 days' from people, generate_series(1, $2) n
    returning id, user_id, public_id
  )
  select user_id::integer as "userId", public_id as "sid" from begun
  order by row_number() over (partition by user_id order by id), user_id`;
