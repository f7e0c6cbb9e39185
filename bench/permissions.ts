import { createIds } from '@rentapi/api/contract/ids';
import { GRANTABLE_PERMISSIONS } from '@rentapi/api/contract/permissions';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender, clientOf, type Headers } from './harness.ts';
import { askedAlike, cpuRatio, printRounds, timeRatio, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const MEMBERS = 10_000;
const ROLES_EACH = 20;
const PAGE = 25;
const LAST_PAGE = MEMBERS / PAGE;
const PAGES_PER_ROUND = 512;
const PAGES_PER_TURN = 32;
const CONNECTIONS = 16;
const WARM_UPS = 2;
const ROUNDS = 9;
/** Each request is of another session: it looks its caller up. */
const SESSIONS_EACH = WARM_UPS + ROUNDS;

/** What roles and a large organization add to a request. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, MEMBERS, SESSIONS_EACH);
  const requests = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const { rows } = await stage.database.query<{ id: number }>(GATHER, [MEMBERS]);
  const organizationId = rows[0]!.id;
  // The list first, while no member has roles: they would cost the same on both pages, and hide a difference.
  const lists = await compareLists(stage, organizationId, requests[0]!);
  await stage.database.query(GIVE_ROLES, [organizationId, ROLES_EACH, GRANTABLE_PERMISSIONS]);
  await stage.database.query('analyze');
  return [...(await compareMembers(stage, requests)), ...lists];
}

async function compareMembers(stage: Stage, requests: readonly Headers[]): Promise<Verdict[]> {
  const child = await stage.startServer();
  // Every second member has the roles, so that both groups are spread over the tables alike.
  const every2nd = (from: number) => (round: number) =>
    requests.slice(round * MEMBERS, (round + 1) * MEMBERS).filter(alternating(from));
  const contender = (name: string, from: number) => ({
    name,
    children: [child],
    path: '/api/v1/users/me',
    requestsOf: every2nd(from),
  });
  const without = contender('without roles', 1);
  const withRoles = contender(`with ${ROLES_EACH} roles`, 0);
  await assertRolesCount(withRoles, without);

  const contenders = [without, withRoles];
  const rounds = await alternate(stage, { contenders, connections: CONNECTIONS, warmUps: WARM_UPS, rounds: ROUNDS });
  await child.stop();
  process.stdout.write(
    `\nCurrent user, in an organization of ${MEMBERS}: ${ROUNDS} rounds of ${MEMBERS / 2} requests\n`,
  );
  printRounds(rounds);
  return [
    {
      promise: `Current user with ${ROLES_EACH} roles, CPU per request`,
      measured: cpuRatio(rounds, withRoles, without),
      atMost: 1.1,
      unit: '× one without',
      comparable: askedAlike(rounds, withRoles, without),
    },
  ];
}

const alternating = (from: number) => (_: unknown, at: number) => at % 2 === from;

async function assertRolesCount(withRoles: Contender, without: Contender): Promise<void> {
  const client = clientOf(withRoles, 1);
  const held = async ({ requestsOf }: Contender) =>
    JSON.stringify(await client.getJson('/api/v1/users/me/permissions', requestsOf(0)[0]!));
  const [one, other] = [await held(withRoles), await held(without)];
  await client.close();
  // Of all grantable permissions, this is one that no plain member has.
  if (one.includes('roles:assign') && !other.includes('roles:assign')) return;
  throw new Error(`the roles are not what they should be: ${one} and ${other}`);
}

async function compareLists(stage: Stage, organizationId: number, headers: Headers): Promise<Verdict[]> {
  const child = await stage.startServer();
  const list = `/api/v1/organizations/${createIds(stage.secrets.ID_SECRET).encode('org', organizationId)}/members`;
  const requestsOf = () => Array<Headers>(PAGES_PER_ROUND).fill(headers);
  const first = { name: 'page 1', children: [child], path: `${list}?limit=${PAGE}`, requestsOf };
  const last = { ...first, name: `page ${LAST_PAGE}`, path: await walk(first, headers) };

  const contenders = [first, last];
  const rounds = await alternate(stage, {
    contenders,
    connections: CONNECTIONS,
    warmUps: WARM_UPS,
    rounds: ROUNDS,
    requestsPerTurn: PAGES_PER_TURN,
  });
  await child.stop();
  process.stdout.write(`\nMembers, ${PAGE} of ${MEMBERS} a page: ${ROUNDS} rounds of ${PAGES_PER_ROUND} requests\n`);
  printRounds(rounds);
  const comparable = askedAlike(rounds, last, first);
  const shared = { atMost: 1.2, unit: '× page 1', comparable };
  return [
    { promise: `Members, page ${LAST_PAGE}, time per page`, measured: timeRatio(rounds, last, first), ...shared },
    { promise: `Members, page ${LAST_PAGE}, CPU per page`, measured: cpuRatio(rounds, last, first), ...shared },
  ];
}

/** The cursor of the last page: only the page before contains it. */
async function walk(contender: Contender, headers: Headers): Promise<string> {
  const { path } = contender;
  const client = clientOf(contender, 1);
  let at = path;
  for (let page = 1; page < LAST_PAGE; page++) {
    const { nextCursor } = (await client.getJson(at, headers)) as { nextCursor: string | null };
    if (!nextCursor) throw new Error(`the list ends with page ${page}`);
    at = `${path}&cursor=${nextCursor}`;
  }
  const { items, nextCursor } = (await client.getJson(at, headers)) as { items: unknown[]; nextCursor: string | null };
  await client.close();
  if (items.length !== PAGE || nextCursor) throw new Error(`page ${LAST_PAGE} is not the last, or not a full one`);
  return at;
}

/** The newest users become members of one new organization, which is their default. */
const GATHER = `
  with organization as (
    insert into organizations (name, created_at, updated_at) values ('Large', now(), now()) returning id
  ), people as (
    update users set default_organization_id = organization.id from organization
    where users.id in (select id from users order by id desc limit $1)
    returning users.id, default_organization_id
  )
  insert into organization_members (organization_id, user_id, role, created_at)
  select default_organization_id, id, 'MEMBER', now() from people order by id
  returning organization_id::integer as id`;

/** Roles of a few permissions each, which together contain every grantable one, for the first, third, fifth… member. */
const GIVE_ROLES = `
  with made as (
    insert into roles (organization_id, name, name_key, permissions, effective_permissions, created_at, updated_at)
    select $1, 'Role ' || n, 'role ' || n, held, held, now(), now()
    from generate_series(1, $2) n,
         lateral (select array_agg(permission order by at) as held
                  from unnest($3::text[]) with ordinality as granted (permission, at)
                  where at % $2 = n % $2 or at % $2 = (n + 1) % $2) as some_of_them
    returning id
  ), chosen as (
    select user_id from (
      select user_id, row_number() over (order by user_id) as at from organization_members where organization_id = $1
    ) numbered where at % 2 = 1
  ), assigned as (
    insert into role_assignments (organization_id, user_id, role_id, created_at)
    select $1, user_id, made.id, now() from chosen, made
  )
  update organization_members set custom_permissions = $3
  where organization_id = $1 and user_id in (select user_id from chosen)`;
