import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApi } from '@rentapi/api/api';
import { createIds } from '@rentapi/api/contract/ids';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { SESSION_ACTOR } from '@rentapi/api/slices/auth/service/authenticate';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { createAccounts } from './accounts.ts';
import { spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const ORGANIZATIONS = 100_000;
const PEOPLE = 1_000_000;
const AUDIT_ENTRIES = 1_000_000;
/** A sequential scan of fewer rows than this is what a planner should do. */
const LARGE_ROWS = 10_000;

interface Asked {
  sql: string;
  bindings: readonly unknown[];
}

/** Fills the database, calls what a customer calls, and prints how Postgres would run each statement of these calls. */
export async function run(stage: Stage): Promise<Verdict[]> {
  process.stderr.write(`Filling ${ORGANIZATIONS} organizations and ${PEOPLE} people; this takes a minute or two.\n`);
  for (const statement of FILL) await stage.database.query(statement);
  const [token] = await createAccounts(stage, 1, 1);
  const { rows } = await stage.database.query<{ organizationId: number; userId: number }>(MAKE_LARGE);
  await stage.database.query('vacuum analyze');
  const asked = await statementsOf(stage, token!, rows[0]!);
  const scans: string[] = [];
  for (const { sql, bindings } of asked) {
    const explained = await stage.database.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
      text: `explain (format json) ${sql}`,
      values: bindings as unknown[],
    });
    const nodes = nodesOf(explained.rows[0]!['QUERY PLAN'][0].Plan);
    process.stdout.write(`${oneLine(sql)}\n    ${nodes.map(describe).join(' · ') || 'no table'}\n`);
    scans.push(...(await largeScans(stage, nodes)).map((table) => `${table}: ${oneLine(sql)}`));
  }
  process.stdout.write(
    `\n${asked.length} statements.\n${scans.map((scan) => `A sequential scan of ${scan}\n`).join('')}`,
  );
  return [
    {
      promise: `Statements with a sequential scan of a table of ${LARGE_ROWS} rows or more`,
      measured: spreadOf([scans.length]),
      atMost: 0,
      unit: `of ${asked.length}`,
    },
  ];
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Plan[];
}

/** The parts of a plan that read a table. */
function nodesOf(plan: Plan): Plan[] {
  const own = plan['Relation Name'] || plan['Index Name'] ? [plan] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

const describe = (plan: Plan): string =>
  [plan['Node Type'], plan['Relation Name'], plan['Index Name']].filter(Boolean).join(' ');

const oneLine = (sql: string): string => sql.replace(/\s+/g, ' ').trim().slice(0, 160);

async function largeScans({ database }: Stage, nodes: Plan[]): Promise<string[]> {
  const scanned = nodes.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name']!] : []));
  const { rows } = await database.query<{ relname: string }>(
    'select relname from pg_class where relname = any($1) and reltuples >= $2',
    [scanned, LARGE_ROWS],
  );
  return rows.map(({ relname }) => relname);
}

/** Each statement once that these calls send to the pool, with the values of its first use. */
async function statementsOf(
  stage: Stage,
  token: string,
  { organizationId, userId }: { organizationId: number; userId: number },
): Promise<Asked[]> {
  const ports = openPorts({
    env: readEnv({
      NODE_ENV: 'test',
      RATE_LIMIT_PER_MINUTE: '1000000',
      AUTH_RATE_LIMIT_PER_MINUTE: '1000000',
      DEFAULT_PLAN: 'ENTERPRISE',
      PUBLIC_URL: stage.issuer,
    }),
    log: createLogger({ level: 'silent' }),
    databaseUrl: stage.databaseUrl,
    secrets: stage.secrets,
    mailer: { send: async () => {}, close: async () => {} },
    version: 'bench',
  });
  const { sid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sid: string };
  // It goes past the pool.
  const asked = new Map<string, Asked>([
    [SESSION_ACTOR.text, { sql: SESSION_ACTOR.text, bindings: [sid, userId, null, null] }],
  ]);
  ports.database.on('query', ({ sql, bindings = [] }: Asked) => {
    if (/^\s*(?:\/\*|select|with|insert|update|delete)/i.test(sql) && !asked.has(sql))
      asked.set(sql, { sql, bindings });
  });
  const api = createApi({ ports, clientAddress: () => '127.0.0.1' });
  const server = createServer((req, res) => void api.handle(req, res, () => res.writeHead(404).end()));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
  try {
    for (const call of callsOf(createIds(stage.secrets.ID_SECRET), organizationId, userId)) {
      const [method, path, body] = call;
      const response = await fetch(origin + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body && { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  } finally {
    await new Promise((closed) => server.close(closed));
    await closePorts(ports);
  }
  return [...asked.values()];
}

type CallOf = [method: string, path: string, body?: object];

function callsOf(ids: ReturnType<typeof createIds>, organizationId: number, userId: number): CallOf[] {
  const organization = `/organizations/${ids.encode('org', organizationId)}`;
  const [from, to] = ['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'];
  const user = ids.encode('usr', userId);
  const role = { name: 'Support', permissions: ['org:read'] };
  return [
    ['GET', '/users/me'],
    ['GET', '/users/me/activity'],
    ['GET', '/auth/sessions'],
    ['GET', '/users?search=person'],
    ['GET', '/users?sort=email'],
    ['GET', '/organizations'],
    ['GET', '/organizations?deleted=true'],
    ['GET', '/organizations/search?query=org'],
    ['GET', organization],
    ['GET', `${organization}/members?limit=100`],
    ['GET', `${organization}/invitations`],
    ['GET', `${organization}/invitations?status=PENDING`],
    ['GET', `${organization}/invitations?status=EXPIRED`],
    ['GET', `${organization}/audit-logs?limit=100`],
    ['GET', `${organization}/audit-logs?from=${from}`],
    ['GET', `${organization}/audit-logs?to=${to}`],
    ['GET', `${organization}/audit-logs?from=${from}&to=${to}&action=api_key.created`],
    ['GET', `${organization}/audit-logs?actorId=${user}`],
    ['GET', `${organization}/audit-logs?targetId=${user}`],
    ['GET', '/api-keys?limit=100'],
    ['GET', '/roles'],
    ['POST', '/api-keys', { name: 'CI', scopes: ['api_keys:read'] }],
    ['POST', '/roles', role],
    ['POST', `${organization}/invitations`, { email: 'growth@example.com', role: 'MEMBER' }],
    ['PATCH', organization, { name: 'Larger' }],
    ['PATCH', '/users/me', { fullName: 'Ada' }],
    ['POST', '/organizations', { name: 'Growing' }],
    ['POST', '/ws/ticket', {}],
  ];
}

/** Without triggers: they would send a notification for each row. */
const FILL = [
  'set session_replication_role = replica',
  `insert into organizations (name, slug, subdomain, created_at, updated_at)
   select 'Organization ' || n, 'org-' || n, 'org-' || n, now(), now() from generate_series(1, ${ORGANIZATIONS}) n`,
  `insert into users (email, email_key, username, username_key, full_name, email_verified_at, default_organization_id,
                      personal_organization_id, created_at, updated_at)
   select 'grown' || n || '@example.com', 'grown' || n || '@example.com', 'grown' || n, 'grown' || n, 'Person ' || n, now(),
          o.id, o.id, now(), now()
   from generate_series(1, ${PEOPLE}) n
   join lateral (select (select min(id) from organizations) + n % ${ORGANIZATIONS} as id) o on true`,
  `insert into organization_members (organization_id, user_id, role, created_at)
   select default_organization_id, id, case when id % 10 = 0 then 'OWNER' else 'MEMBER' end, now() from users`,
  `insert into sessions (user_id, ip, user_agent, created_at, expires_at)
   select id, '127.0.0.1', 'bench', now(), now() + interval '1 day' from users`,
  `insert into api_keys (organization_id, name, secret_hash, prefix, last4, environment, scopes, created_by, created_at, updated_at)
   select default_organization_id, 'Key', sha256(convert_to('grown ' || id, 'UTF8')), 'rapi_live_4f9a', 'x7Kd', 'live',
          '{api_keys:read}', id, now(), now()
   from users where id % 5 = 0`,
  `insert into audit_logs (organization_id, action, actor_kind, actor_id, target_kind, target_id, ip, request_id, created_at, position)
   select u.default_organization_id, 'user.updated', 'user', u.id, 'users', u.id, '127.0.0.1', 'grown', now() - n * interval '1 second', n
   from (select id, default_organization_id, row_number() over (order by id) as n from users limit ${AUDIT_ENTRIES}) u`,
  'set session_replication_role = origin',
];

/** The newest user owns an organization of 10,000 members, whose audit log has 10,000 entries. */
const MAKE_LARGE = `
  with owner as (select id, default_organization_id from users order by id desc limit 1),
  members as (
    insert into organization_members (organization_id, user_id, role, created_at)
    select owner.default_organization_id, u.id, 'MEMBER', now()
    from owner, (select id from users order by id limit 10000) u
  ), entries as (
    insert into audit_logs (organization_id, action, actor_kind, actor_id, target_kind, target_id, ip, request_id, created_at, position)
    select owner.default_organization_id, 'user.updated', 'user', owner.id, 'users', owner.id, '127.0.0.1', 'large',
           now() - n * interval '1 minute', ${AUDIT_ENTRIES} + n
    from owner, generate_series(1, 10000) n
  )
  select default_organization_id::integer as "organizationId", id::integer as "userId" from owner`;
