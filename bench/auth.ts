import { randomUUID } from 'node:crypto';
import { createIds } from '@rentapi/api/contract/ids';
import { createPasswords } from '@rentapi/api/slices/auth/passwords';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import { createAccounts } from './accounts.ts';
import { loginByHand, openByHand, refreshByHand } from './auth-by-hand.ts';
import { type Client, openClient } from './load.ts';
import { printTable, type Spread, spreadOf, type Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const PEOPLE = 4000;
const PASSWORD = 'a password of the bench';
const PAIRS = 200;
const MAX_DIFFERENCE_MS = 5;
const QUEUED = 64;
/** Of a phase: long enough for many logins to be answered in it, so that it is no snapshot of one hash. */
const READS = 5000;
const CALLS_PER_ROUND = 128;
const CONNECTIONS = 8;
const ROUNDS = 9;
const WARM_UPS = 2;
/** Hashing out of the way, which is refused in production. */
const QUICK_HASHES = { NODE_ENV: 'test', BCRYPT_COST: '4' };
const NO_LIMITS = { ACCOUNT_LOCKOUT_THRESHOLD: '1000', MAILBOX_LIMIT_PER_HOUR: '1000000' };

/** What the time of an answer shows of an address, and what sign-ins cost: others, and beyond their statements. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const tokens = await createAccounts(stage, PEOPLE, 1);
  const { rows } = await stage.database.query<Person>(PEOPLE_OF_THE_BENCH);
  const hashes = createPasswords({ pepper: stage.secrets.PASSWORD_PEPPER, cost: 4, atOnce: 5 });
  await stage.database.query('update users set password_hash = $1', [await hashes.hash(PASSWORD)]);
  const emails = rows.map(({ email }) => email);
  return [
    ...(await compareAddresses(stage, emails, invitersOf(stage, rows, tokens))),
    await readWhileLoginsQueue(stage, emails, tokens[0]!),
    ...(await compareWithStatements(stage, rows)),
  ];
}

const PEOPLE_OF_THE_BENCH = `
  select users.id::integer as id, users.email, sessions.id::integer as "sessionId",
         default_organization_id::integer as "organizationId"
  from users join sessions on sessions.user_id = users.id order by users.id`;

/** Each invites into an organization of its own, so that no limit on invitations is reached. */
interface Inviter {
  accessToken: string;
  organizationId: string;
}

const anyAddress = (): string => `${randomUUID()}@example.com`;

type Ask = (client: Client, email: string, inviter: Inviter) => Promise<unknown>;

const guess = (client: Client, email: string): Promise<unknown> =>
  post(client, '/api/v1/auth/login', { email, password: 'not the one' }).catch(() => {});

/** Each answers the same for every address; a login with a wrong password is refused. */
const QUESTIONS: Record<string, Ask> = {
  registration: (client, email) => post(client, '/api/v1/auth/register', { email, password: PASSWORD }),
  login: guess,
  'reset of the password': (client, email) => post(client, '/api/v1/auth/password-reset/request', { email }),
  'another link': (client, email) => post(client, '/api/v1/auth/resend-verification', { email }),
  invitation: (client, email, { accessToken, organizationId }) =>
    post(
      client,
      `/api/v1/organizations/${organizationId}/invitations`,
      { email, role: 'MEMBER' },
      { authorization: `Bearer ${accessToken}` },
    ),
};

const post = (client: Client, path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> =>
  client.postJson(path, headers, JSON.stringify(body));

function invitersOf(stage: Stage, people: readonly Person[], tokens: readonly string[]): Inviter[] {
  const ids = createIds(stage.secrets.ID_SECRET);
  const inviters = people.map(({ organizationId }, at) => ({
    accessToken: tokens[at]!,
    organizationId: ids.encode('org', organizationId),
  }));
  return inviters.reverse(); // the first people are those who are invited
}

async function compareAddresses(
  stage: Stage,
  emails: readonly string[],
  inviters: readonly Inviter[],
): Promise<Verdict[]> {
  const server = await stage.startServer('start', {
    ...QUICK_HASHES,
    ...NO_LIMITS,
    REQUIRE_EMAIL_VERIFICATION: 'true',
  });
  const client = openClient([server.origin], 1);
  const table = [['', 'known ms', 'unknown ms', 'difference ms (95 %)']];
  const verdicts: Verdict[] = [];
  let asked = 0;
  for (const [name, ask] of Object.entries(QUESTIONS)) {
    const known: number[] = [];
    const unknown: number[] = [];
    for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await ask(client, anyAddress(), inviters[asked++]!);
    for (const [times, email] of inRandomOrder([
      ...emails.slice(0, PAIRS).map((email) => [known, email] as const),
      ...emails.slice(0, PAIRS).map(() => [unknown, anyAddress()] as const),
    ]))
      times.push(await timeOf(() => ask(client, email, inviters[asked++ % inviters.length]!)));
    const difference = spreadOf(known.map((tookMs, at) => tookMs - unknown[at]!));
    const medians = [known, unknown].map((times) => spreadOf(times).median.toFixed(2));
    table.push([name, ...medians, written(difference)]);
    const shared = { promise: `Known minus unknown address, ${name}`, measured: difference, unit: 'ms' };
    verdicts.push({ ...shared, atMost: MAX_DIFFERENCE_MS }, { ...shared, atLeast: -MAX_DIFFERENCE_MS });
  }
  await client.close();
  await server.stop();
  process.stdout.write(`\nAddresses with and without an account: ${PAIRS} interleaved pairs\n`);
  printTable(table);
  return verdicts;
}

/** What follows a known address, a mail for example, must not slow one kind of request more than the other. */
function inRandomOrder<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** A request for the current user must not wait for other people's passwords to be hashed. */
async function readWhileLoginsQueue(stage: Stage, emails: readonly string[], token: string): Promise<Verdict> {
  const server = await stage.startServer('start', { ...NO_LIMITS, BCRYPT_COST: '10' });
  const reader = openClient([server.origin], 1);
  const guesser = openClient([server.origin], QUEUED);
  const headers = Array.from({ length: READS }, () => ({ authorization: `Bearer ${token}` }));
  const read = async () => p99((await reader.drive('/api/v1/users/me', headers)).latenciesMs);
  await read();
  const ratios: number[] = [];
  let guessed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await read();
    let reading = true;
    const logins = Array.from({ length: QUEUED }, async () => {
      while (reading) await guess(guesser, emails[guessed++ % emails.length]!);
    });
    const queued = await read(); // the arrival of all of them included
    reading = false;
    await Promise.all(logins);
    // Idle on both sides, because the machine may become busier meanwhile.
    ratios.push(queued / ((before + (await read())) / 2));
  }
  await reader.close();
  await guesser.close();
  await server.stop();
  return {
    promise: `Current user while ${QUEUED} logins queue, p99`,
    measured: spreadOf(ratios),
    atMost: 3,
    unit: '× idle',
  };
}

interface Person {
  id: number;
  email: string;
  sessionId: number;
  organizationId: number;
}

async function compareWithStatements(stage: Stage, people: readonly Person[]): Promise<Verdict[]> {
  const server = await stage.startServer('start', { ...QUICK_HASHES, ...NO_LIMITS });
  const client = openClient([server.origin], CONNECTIONS);
  const byHand = await openByHand(stage, CONNECTIONS, PASSWORD);
  let next = 0;
  const someone = () => people[next++ % people.length]!;

  const logins = await rateOf(
    async () => inParallel(() => post(client, '/api/v1/auth/login', { email: someone().email, password: PASSWORD })),
    async () => inParallel(() => loginByHand(byHand, someone())),
  );
  const refreshing = { server: await giveTokens(stage, people), hand: await giveTokens(stage, people) };
  const refreshes = await rateOf(
    async () => inParallel(() => post(client, '/api/v1/auth/refresh', { refreshToken: refreshing.server.pop()! })),
    async () => inParallel(() => refreshByHand(byHand, refreshing.hand.pop()!)),
  );
  await client.close();
  await byHand.close();
  await server.stop();
  const unit = '× the same statements by hand';
  return [
    { promise: 'Logins, rate', measured: logins, atLeast: 0.6, unit },
    { promise: 'Refreshes, rate', measured: refreshes, atLeast: 0.6, unit },
  ];
}

/** One refresh token for each session. */
async function giveTokens(stage: Stage, people: readonly Person[]): Promise<string[]> {
  const tokens = people.map(() => newToken());
  await stage.database.query(
    `insert into refresh_tokens (session_id, token_hash, created_at, expires_at)
     select unnest($1::bigint[]), unnest($2::bytea[]), now(), now() + interval '1 day'`,
    [people.map(({ sessionId }) => sessionId), tokens.map(tokenHash)],
  );
  return tokens;
}

/** How many times the second's rate the first has, turn by turn. */
async function rateOf(ours: () => Promise<unknown>, theirs: () => Promise<unknown>): Promise<Spread> {
  const ratios: number[] = [];
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    const first = round % 2 === 0 ? await timeOf(ours) : undefined;
    const hand = await timeOf(theirs);
    const tookMs = first ?? (await timeOf(ours));
    if (round >= 0) ratios.push(hand / tookMs);
  }
  return spreadOf(ratios);
}

async function inParallel(work: () => Promise<unknown>): Promise<void> {
  let left = CALLS_PER_ROUND;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const p99 = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)]!;

const written = ({ median, low, high }: Spread): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
