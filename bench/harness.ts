import type { Child } from './child.ts';
import { type Client, openClient } from './load.ts';
import type { Stage } from './stage.ts';

/** One of those that do the same work. */
export interface Contender {
  name: string;
  child: Child;
  path: string;
}

/** What one contender's requests of a round have cost. */
export interface Round {
  cpuUs: number;
  elapsedMs: number;
  statements: number;
  requests: number;
  latenciesMs: number[];
}

/** Every contender's rounds; the n-th of each ran beside one another, and are compared with one another only. */
export type Rounds = Map<Contender, Round[]>;

export interface Plan {
  contenders: readonly Contender[];
  /** The requests of one round. */
  headers: readonly Record<string, string>[];
  connections: number;
  warmUps: number;
  rounds: number;
}

/** A turn of some 50 ms: whatever else this machine does then, the neighbouring turns feel it too. */
const REQUESTS_PER_TURN = 250;

/** Lets the contenders take turns, one load at a time, until each has sent every round's requests. */
export async function alternate(stage: Stage, plan: Plan): Promise<Rounds> {
  const { contenders, warmUps, rounds } = plan;
  const measured: Rounds = new Map(contenders.map((contender) => [contender, []]));
  const clients = new Map(contenders.map((each) => [each, openClient(each.child.origin, plan.connections)]));
  try {
    for (let at = -warmUps; at < rounds; at++) {
      process.stderr.write(at < 0 ? 'Warming up.\n' : `Round ${at + 1} of ${rounds}.\n`);
      const round = await playRound(stage, plan, clients);
      if (at >= 0) for (const contender of contenders) measured.get(contender)!.push(round.get(contender)!);
    }
  } finally {
    for (const client of clients.values()) await client.close();
  }
  return measured;
}

async function playRound(stage: Stage, plan: Plan, clients: Map<Contender, Client>): Promise<Map<Contender, Round>> {
  const { contenders, headers } = plan;
  const round = new Map(
    contenders.map((each): [Contender, Round] => [
      each,
      { cpuUs: 0, elapsedMs: 0, statements: 0, requests: 0, latenciesMs: [] },
    ]),
  );
  for (let at = 0, turn = 0; at < headers.length; at += REQUESTS_PER_TURN, turn++) {
    // Turned round each time, so that none always comes after the same one.
    for (const contender of turn % 2 === 0 ? contenders : contenders.toReversed()) {
      const requests = headers.slice(at, at + REQUESTS_PER_TURN);
      await playTurn(stage, contender, clients.get(contender)!, requests, round.get(contender)!);
    }
  }
  return round;
}

async function playTurn(
  stage: Stage,
  { child, path }: Contender,
  client: Client,
  requests: readonly Record<string, string>[],
  sum: Round,
): Promise<void> {
  const statements = await stage.countStatements();
  const before = await child.usage();
  const { elapsedMs, latenciesMs } = await client.drive(path, requests);
  const after = await child.usage();
  sum.cpuUs += after.cpuUs - before.cpuUs;
  sum.statements += (await stage.countStatements()) - statements;
  sum.elapsedMs += elapsedMs;
  sum.requests += requests.length;
  sum.latenciesMs.push(...latenciesMs);
}
