import { setTimeout as sleep } from 'node:timers/promises';
import { compare, printFindings, printIncidents, printRefusals, type Struck } from './findings.ts';
import { type Load, startLoad } from './load.ts';
import { type System, startSystem } from './system.ts';

const WRITERS = 8; // an organization has at most 1000 keys
const RUN_MS = 42_000;
const CALM_MS = 3000; // before the first incident
const MEND_AFTER_MS = 2000;
// A killed worker's job goes to another worker once its lease of 30 s has ended; then its retry may have to wait.
const SETTLE_MS = 90_000;
const CONFIRMATION = 'Confirm your e-mail address';

/**
 * `pnpm chaos`: removes one part after another under a constant load, and compares what was acknowledged with what is
 * stored. Exit code 1 if anything was lost, or a write was done twice.
 */
async function main(): Promise<number> {
  const system = await startSystem();
  try {
    const tokens = await system.signUp(WRITERS);
    const load = startLoad(system.origins, tokens);
    const struck = await strikeAll(system);
    process.stderr.write('Waiting for what is under way.\n');
    await load.stop();
    await untilSettled(system, load);
    return (await report(system, load, struck)) ? 0 : 1;
  } finally {
    await system.close();
  }
}

/** One incident after the other, at equal intervals. */
async function strikeAll({ incidents }: System): Promise<Struck[]> {
  const struck: Struck[] = [];
  const beganAt = performance.now();
  const between = (RUN_MS - CALM_MS) / incidents.length;
  for (const [at, { name, strike, recover }] of incidents.entries()) {
    await sleepUntil(beganAt + CALM_MS + at * between);
    process.stderr.write(`${name}.\n`);
    const incident = { name, beganAt: performance.now(), overAt: 0, untilAt: beganAt + CALM_MS + (at + 1) * between };
    await strike();
    incident.overAt = performance.now();
    struck.push(incident);
    if (!recover) continue;
    await sleep(MEND_AFTER_MS);
    await recover();
  }
  await sleepUntil(beganAt + RUN_MS);
  return struck;
}

const sleepUntil = (at: number): Promise<void> => sleep(Math.max(0, at - performance.now()));

/** Waits until the work behind every acknowledged request is done, or too much time has passed. */
async function untilSettled(system: System, { registrations }: Load): Promise<void> {
  for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline; await sleep(500)) {
    const [{ waiting } = { waiting: 0 }] = await system.query<{ waiting: number }>(
      'select ((select count(*) from outbox) + (select count(*) from events where position is null))::integer as waiting',
    );
    const mailed = new Set((await confirmations(system)).map(({ to }) => to));
    if (waiting === 0 && registrations.every(({ name, doneAt }) => doneAt === undefined || mailed.has(name))) return;
  }
}

async function confirmations({ mailbox }: System) {
  return (await mailbox.list()).filter(({ subject }) => subject === CONFIRMATION);
}

async function report(system: System, load: Load, struck: Struck[]): Promise<boolean> {
  const rows = await system.query<{ name: string; count: number }>(
    "select name, count(*)::integer as count from api_keys where name like 'chaos %' group by name",
  );
  const mails = await confirmations(system);
  const distinct = new Map(mails.map((mail) => [mail.messageId, mail.to]));
  const writes = compare(load.writes, new Map(rows.map(({ name, count }) => [name, count])));
  const mailed = compare(load.registrations, count([...distinct.values()]));
  printIncidents(struck, load, mails);
  printFindings({ writes, mails: mailed });
  printRefusals([...load.writes, ...load.registrations]);
  process.stdout.write(`Mails handed over again under the same Message-ID: ${mails.length - distinct.size}\n`);
  return writes.lost.length + writes.doubled.length + mailed.lost.length === 0;
}

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

process.exitCode = await main();
