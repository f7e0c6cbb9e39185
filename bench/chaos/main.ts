import { setTimeout as sleep } from 'node:timers/promises';
import { printVerdicts, spreadOf, type Verdict } from '../report.ts';
import { runBilling } from './billing.ts';
import { compare, printFindings, printIncidents, printRefusals, type Struck } from './findings.ts';
import { type Load, startLoad } from './load.ts';
import { type System, startSystem } from './system.ts';

const WRITERS = 8; // an organization has at most 1000 keys
const PEOPLE = 2000;
/** Events to deliver, and jobs that mail. */
const AT_LEAST = 1000;
const BETWEEN_MS = 7000;
const CALM_MS = 3000; // before the first incident
const RESTART_AFTER_MS = 2000;
/** A slow machine needs longer for so many. */
const MAX_RUN_MS = 300_000;
const RESUMED_WITHIN_S = 35;
// A killed worker's job goes to another worker once its lease of 30 s has ended; then its retry may have to wait.
const SETTLE_MS = 90_000;
const CONFIRMATION = 'Confirm your e-mail address';
const RESET = 'Set a new password';

/**
 * `pnpm chaos`: removes one part after another under a constant load, and compares what was acknowledged with what is
 * stored, delivered and mailed. Exit code 1 if anything was lost, done twice, or went on too late.
 */
async function main(): Promise<number> {
  const system = await startSystem();
  try {
    const tokens = await system.signUp(PEOPLE);
    const people = await system.query<{ email: string }>('select email from users order by id');
    const writers = tokens.slice(0, WRITERS);
    await system.subscribe(writers);
    const load = startLoad(
      system.origins,
      writers,
      people.map(({ email }) => email),
    );
    const struck = await strikeAll(system);
    await untilEnough(load);
    process.stderr.write('Waiting for what is under way.\n');
    await load.stop();
    process.stderr.write('Waiting for the work that it caused.\n');
    const deadline = performance.now() + SETTLE_MS;
    await system.interruptions.settle(deadline);
    await untilSettled(system, load, deadline);
    return (await report(system, load, struck)) ? 0 : 1;
  } finally {
    await system.close();
  }
}

/** One incident after the other, at equal intervals. */
async function strikeAll({ incidents }: System): Promise<Struck[]> {
  const struck: Struck[] = [];
  const beganAt = performance.now();
  for (const [at, { name, strike, recover }] of incidents.entries()) {
    await sleepUntil(beganAt + CALM_MS + at * BETWEEN_MS);
    process.stderr.write(`${name}.\n`);
    const incident = { name, beganAt: performance.now(), overAt: 0, untilAt: performance.now() + BETWEEN_MS };
    await strike();
    incident.overAt = performance.now();
    struck.push(incident);
    if (!recover) continue;
    await sleep(RESTART_AFTER_MS);
    await recover();
  }
  await sleepUntil(beganAt + CALM_MS + incidents.length * BETWEEN_MS);
  return struck;
}

const sleepUntil = (at: number): Promise<void> => sleep(Math.max(0, at - performance.now()));
const done = (attempts: Load['writes']): number => attempts.filter(({ doneAt }) => doneAt !== undefined).length;

async function untilEnough({ writes, resets }: Load): Promise<void> {
  const deadline = performance.now() + MAX_RUN_MS;
  for (let looks = 0; performance.now() < deadline; looks++) {
    const counts = [done(writes), done(resets)] as const;
    if (Math.min(...counts) >= AT_LEAST) return;
    if (looks % 20 === 0) process.stderr.write(`${counts.join(' writes and ')} resets of ${AT_LEAST} are done.\n`);
    await sleep(500);
  }
}

/** Waits until the work behind every acknowledged request is done, or too much time has passed. */
async function untilSettled(system: System, load: Load, deadline: number): Promise<void> {
  for (; performance.now() < deadline; await sleep(500)) {
    const [{ waiting } = { waiting: 0 }] = await system.query<{ waiting: number }>(
      `select ((select count(*) from outbox) + (select count(*) from events where position is null)
               + (select count(*) from webhook_deliveries where status = 'PENDING')
               + (select count(*) from agenda_jobs where name like 'auth.mail_%'))::integer as waiting`,
    );
    const mailed = new Set(system.mailbox.mails.map(({ to }) => to));
    const [came, expected] = [new Set(system.receiver.events.map(({ name }) => name)), done(load.writes)];
    const isMailed = [...load.registrations, ...load.resets].every(
      ({ name, doneAt }) => doneAt === undefined || mailed.has(name),
    );
    if (waiting === 0 && isMailed && came.size >= expected) return;
  }
}

async function report(system: System, load: Load, struck: Struck[]): Promise<boolean> {
  const { receiver, mailbox, interruptions } = system;
  const rows = await system.query<{ name: string; count: number }>(
    "select name, count(*)::integer as count from api_keys where name like 'chaos %' group by name",
  );
  const [jobs] = await system.query<{ count: number }>(
    "select count(*)::integer as count from events where type = 'user.password_reset_requested'",
  );
  const confirmations = mailsOf(system, CONFIRMATION);
  const resets = mailsOf(system, RESET);
  const deliveries = new Map(receiver.events.map(({ id, name }) => [id, name]));
  const findings = {
    writes: compare(load.writes, new Map(rows.map(({ name, count }) => [name, count]))),
    deliveries: compare(load.writes, count([...deliveries.values()])),
    confirmations: compare(load.registrations, count([...confirmations.values()])),
    resets: compare(load.resets, count([...resets.values()])),
  };
  printIncidents(struck, load, mailbox.mails);
  printFindings(findings);
  printRefusals([...load.writes, ...load.registrations, ...load.resets]);
  const again = mailbox.mails.length - confirmations.size - resets.size;
  process.stdout.write(`Mails handed over again under the same Message-ID: ${again}\n`);
  process.stdout.write(`Events sent again under the same id: ${receiver.events.length - deliveries.size}\n`);
  const seconds = (at: number, againAt = Number.POSITIVE_INFINITY) => `${((againAt - at) / 1000).toFixed(1)} s`;
  const ofJobs = interruptions.list.map(({ jobs, at, resumedAt }) => `${jobs} after ${seconds(at, resumedAt)}`);
  const ofDeliveries = [...receiver.cut.values()].map(({ at, againAt }) => seconds(at, againAt));
  process.stdout.write(`Jobs of killed workers went on: ${ofJobs.join(', ')}\n`);
  process.stdout.write(`Deliveries that were cut came again after: ${ofDeliveries.join(', ') || 'none was'}\n\n`);

  const resumed = [
    ...interruptions.list.map(({ at, resumedAt }) => ({ at, againAt: resumedAt })),
    ...receiver.cut.values(),
  ].map(({ at, againAt = Number.POSITIVE_INFINITY }) => (againAt - at) / 1000);
  const { writes, deliveries: delivered, confirmations: confirmed, resets: reset } = findings;
  const none = (promise: string, faults: number): Verdict => ({
    promise,
    measured: spreadOf([faults]),
    atMost: 0,
    unit: 'of them',
  });
  const verdicts: Verdict[] = [
    { promise: 'Events that happened', measured: spreadOf([delivered.found]), atLeast: AT_LEAST, unit: '' },
    { promise: 'Jobs that were caused', measured: spreadOf([jobs!.count]), atLeast: AT_LEAST, unit: '' },
    none('Writes that were lost or done twice', writes.lost.length + writes.doubled.length),
    none(
      'Events that did not reach their receiver, or under two ids',
      delivered.lost.length + delivered.doubled.length,
    ),
    none('Jobs without their mail, or with two', Math.abs(jobs!.count - resets.size)),
    none('People without their mail', confirmed.lost.length + reset.lost.length),
    {
      promise: 'Work of killed workers goes on, the longest',
      measured: spreadOf([Math.max(0, ...resumed)]),
      atMost: RESUMED_WITHIN_S,
      unit: 's',
    },
  ];
  printVerdicts(verdicts);
  return verdicts.every(isKept);
}

const isKept = (verdict: Verdict): boolean =>
  'atMost' in verdict ? verdict.measured.high <= verdict.atMost : verdict.measured.low >= verdict.atLeast;

/** Addresses by Message-ID, which is the same where a mail was handed over again. */
function mailsOf({ mailbox }: System, subject: string): Map<string, string> {
  return new Map(mailbox.mails.flatMap((mail) => (mail.subject === subject ? [[mail.messageId, mail.to]] : [])));
}

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

process.exitCode = process.argv[2] === 'billing' ? await runBilling() : await main();
