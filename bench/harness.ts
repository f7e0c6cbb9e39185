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
  cpuUs: number;
  /** Between its turns: what an idle process does, and what was left for later. */
  betweenUs: number;
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

/** Lets the contenders take turns, one load at a time, until each has sent every round's requests. */
export async function alternate(stage: Stage, plan: Plan): Promise<Rounds> {
  const { contenders, warmUps, rounds, requestsPerTurn = REQUESTS_PER_TURN } = plan;
  const measured: Rounds = new Map(contenders.map((contender) => [contender, []]));
  const clients = new Map(contenders.map((each) => [each, clientOf(each, plan.connections)]));
  try {
    for (let at = -warmUps; at < rounds; at++) {
      process.stderr.write(at < 0 ? 'Warming up.\n' : `Round ${at + 1} of ${rounds}.\n`);
      await plan.beforeRound?.();
      const round = await playRound(stage, clients, at + warmUps, requestsPerTurn);
      if (at >= 0) for (const contender of contenders) measured.get(contender)!.push(round.get(contender)!);
    }
  } finally {
    for (const client of clients.values()) await client.close();
  }
  return measured;
}

async function playRound(
  stage: Stage,
  clients: Map<Contender, Client>,
  at: number,
  requestsPerTurn: number,
): Promise<Map<Contender, Round>> {
  const contenders = [...clients.keys()];
  const round = new Map(contenders.map((each) => [each, newRound()]));
  const requests = new Map(contenders.map((each) => [each, each.requestsOf(at)]));
  const length = requests.get(contenders[0]!)!.length;
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
    sum.betweenUs = (await cpuUsOf(contender.children)) - before.get(contender)! - sum.cpuUs;
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
  betweenUs: 0,
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
