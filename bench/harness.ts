import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import { type Client, openClient } from './load.ts';
import type { Stage } from './stage.ts';

/** One of the programs that do the same work. */
export interface Contender {
  name: string;
  /** Its processes, which get requests in turn. */
  children: readonly Child[];
  path: string;
  /** Posted as JSON with each request; without it, requests are GET. */
  body?: string;
  /** The headers of each request of a round; all contenders send the same number. */
  requestsOf(round: number): readonly Headers[];
}

export type Headers = Record<string, string>;

/** What one contender's requests of a round have cost. */
export interface Round {
  /** What was left for later included. */
  cpuUs: number;
  /** Between its turns, less what it does while idle. */
  laterUs: number;
  elapsedMs: number;
  statements: number;
  /** Of Redis, of all programs: what another contender has left for later is among them. */
  commands: number;
  requests: number;
  latenciesMs: number[];
}

/** Every contender's rounds; the n-th rounds ran side by side, and are compared only with each other. */
export type Rounds = Map<Contender, Round[]>;

export interface Plan {
  contenders: readonly Contender[];
  connections: number;
  warmUps: number;
  rounds: number;
  /** For a turn of some 50 ms: other load on this machine then affects the neighbouring turns as well. */
  requestsPerTurn?: number;
  /** What is not to be measured: before each round, warm-ups included. */
  beforeRound?: () => Promise<void>;
}

const REQUESTS_PER_TURN = 250;
/** By then what the last requests have left is done: most of it is written once a second. */
const SETTLE_MS = 3000;
const IDLE_MS = 5000;

/** Lets the contenders take turns, one load at a time, until each has sent every round's requests. */
export async function alternate(stage: Stage, plan: Plan): Promise<Rounds> {
  const { contenders, warmUps, rounds, requestsPerTurn = REQUESTS_PER_TURN } = plan;
  const measured: Rounds = new Map(contenders.map((contender) => [contender, []]));
  const clients = new Map(contenders.map((each) => [each, clientOf(each, plan.connections)]));
  try {
    let idle = new Map<Contender, number>();
    for (let at = -warmUps; at < rounds; at++) {
      if (at === 0) idle = await measureIdle(contenders);
      process.stderr.write(at < 0 ? 'Warming up.\n' : `Round ${at + 1} of ${rounds}.\n`);
      await plan.beforeRound?.();
      const round = await playRound(stage, clients, at + warmUps, { requestsPerTurn, idle });
      if (at >= 0) for (const contender of contenders) measured.get(contender)!.push(round.get(contender)!);
    }
  } finally {
    for (const client of clients.values()) await client.close();
  }
  return measured;
}

/** The CPU of each without requests, in µs a millisecond. */
async function measureIdle(contenders: readonly Contender[]): Promise<Map<Contender, number>> {
  await sleep(SETTLE_MS);
  const cpuUs = () => Promise.all(contenders.map(({ children }) => cpuUsOf(children)));
  const [before, began] = [await cpuUs(), performance.now()];
  await sleep(IDLE_MS);
  const [after, ended] = [await cpuUs(), performance.now()];
  return new Map(contenders.map((each, at) => [each, (after[at]! - before[at]!) / (ended - began)]));
}

async function playRound(
  stage: Stage,
  clients: Map<Contender, Client>,
  at: number,
  { requestsPerTurn, idle }: { requestsPerTurn: number; idle: ReadonlyMap<Contender, number> },
): Promise<Map<Contender, Round>> {
  const contenders = [...clients.keys()];
  const round = new Map(contenders.map((each) => [each, newRound()]));
  const requests = new Map(contenders.map((each) => [each, each.requestsOf(at)]));
  const length = requests.get(contenders[0]!)!.length;
  const began = performance.now();
  const before = new Map<Contender, number>();
  for (const contender of contenders) before.set(contender, await cpuUsOf(contender.children));
  for (let from = 0, turn = 0; from < length; from += requestsPerTurn, turn++) {
    // Reversed each time, so that none always comes after the same one.
    for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed()) {
      const headers = requests.get(contender)!.slice(from, from + requestsPerTurn);
      await playTurn(stage, contender, clients.get(contender)!, headers, round.get(contender)!);
    }
  }
  for (const contender of contenders) {
    const sum = round.get(contender)!;
    const betweenUs = (await cpuUsOf(contender.children)) - before.get(contender)! - sum.cpuUs;
    const idleUs = (idle.get(contender) ?? 0) * (performance.now() - began - sum.elapsedMs);
    sum.laterUs = Math.max(0, betweenUs - idleUs);
    sum.cpuUs += sum.laterUs;
  }
  return round;
}

export const clientOf = ({ children }: Contender, connections: number): Client =>
  openClient(
    children.map(({ origin }) => origin),
    connections,
  );

const newRound = (): Round => ({
  cpuUs: 0,
  laterUs: 0,
  elapsedMs: 0,
  statements: 0,
  commands: 0,
  requests: 0,
  latenciesMs: [],
});

async function playTurn(
  stage: Stage,
  { children, path, body }: Contender,
  client: Client,
  headers: readonly Headers[],
  sum: Round,
): Promise<void> {
  const [statements, commands] = [await stage.countStatements(), await stage.countCommands()];
  const before = await cpuUsOf(children);
  const { elapsedMs, latenciesMs } = await client.drive(path, headers, body);
  sum.cpuUs += (await cpuUsOf(children)) - before;
  sum.statements += (await stage.countStatements()) - statements;
  sum.commands += (await stage.countCommands()) - commands;
  sum.elapsedMs += elapsedMs;
  sum.requests += headers.length;
  sum.latenciesMs.push(...latenciesMs);
}

async function cpuUsOf(children: readonly Child[]): Promise<number> {
  const usages = await Promise.all(children.map((child) => child.usage()));
  return usages.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}
