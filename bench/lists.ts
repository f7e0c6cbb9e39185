import { isDeepStrictEqual } from 'node:util';
import { createAccounts } from './accounts.ts';
import { alternate, type Contender, clientOf } from './harness.ts';
import { cpuRatio, printRounds, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const PAGE = 100;
const KEYS = 150;
const PAGES_PER_ROUND = 512;
const PAGES_PER_TURN = 64;
const CONNECTIONS = 16;
/** Ten thousand pages: V8 compiles a server's code meanwhile, of which ours is more. */
const WARM_UPS = 20;
const ROUNDS = 15;

/** What a page of rows costs, compared with a handler that reads and presents the same rows by hand. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const [token] = await createAccounts(stage, 1, 1);
  await stage.database.query(ADD_KEYS, [KEYS]);
  await stage.database.query('analyze');
  const headers = { authorization: `Bearer ${token}` };
  const requestsOf = () => Array<typeof headers>(PAGES_PER_ROUND).fill(headers);
  const bare: Contender = {
    name: 'bare node:http',
    path: '/keys',
    requestsOf,
    children: [await stage.startProgram(import.meta.resolve('./keys-by-hand.ts'))],
  };
  const rest: Contender = {
    name: 'REST',
    path: `/api/v1/api-keys?limit=${PAGE}`,
    requestsOf,
    children: [await stage.startServer()],
  };
  const [expected, given] = [await itemsOf(bare, headers), await itemsOf(rest, headers)];
  const rounds = await alternate(stage, {
    contenders: [bare, rest],
    connections: CONNECTIONS,
    warmUps: WARM_UPS,
    rounds: ROUNDS,
    requestsPerTurn: PAGES_PER_TURN,
  });
  for (const { children } of [bare, rest]) for (const child of children) await child.stop();
  process.stdout.write(`\nAPI keys, ${PAGE} a page: ${ROUNDS} rounds of ${PAGES_PER_ROUND} pages\n`);
  printRounds(rounds);
  return [
    {
      promise: `A page of ${PAGE} API keys, CPU`,
      measured: cpuRatio(rounds, rest, bare),
      atMost: 1.25,
      unit: '× the bare handler',
      comparable: isDeepStrictEqual(given, expected),
    },
  ];
}

async function itemsOf(contender: Contender, headers: Record<string, string>): Promise<unknown[]> {
  const client = clientOf(contender, 1);
  const { items } = (await client.getJson(contender.path, headers)) as { items: unknown[] };
  await client.close();
  return items;
}

/** For the newest user, in their organization. */
const ADD_KEYS = `
  insert into api_keys (organization_id, name, secret_hash, prefix, last4, environment, scopes, metadata, created_by,
                        created_at, updated_at)
  select default_organization_id, 'Key ' || n, sha256(convert_to(id || ' ' || n, 'UTF8')), 'rapi_live_4f9a', 'x7Kd', 'live',
         '{api_keys:read,org:read}', '{"team": "billing"}', id, now() - n * interval '1 hour', now()
  from (select * from users order by id desc limit 1) newest, generate_series(1, $1) n`;
