import type { Context } from '../../../context.ts';
import { ProcessStats } from '../../../wire/connections.ts';
import type { SocketStats } from '../schemas.ts';

const MAX_PROCESSES = 100;
const MAX_ORGANIZATIONS = 20;

/** Of all processes together, and of each. */
export async function getSocketStats({ ids, ports }: Context): Promise<SocketStats> {
  const reports = await ports.reports.read();
  const known = [...reports].flatMap(([name, report]) => {
    const { data } = ProcessStats.safeParse(report);
    return data ? [{ ...data, process: name }] : [];
  });
  // A process that has had no socket yet reports nothing.
  if (!reports.has(ports.reports.process)) known.push({ ...ports.connections.stats(), process: ports.reports.process });
  const organizations = sumBy(
    known.flatMap((each) => each.organizations.map((of) => [of.organizationId, of.connections] as const)),
  );
  const total = {
    ...sum(known),
    paths: pathsOf(sumBy(known.flatMap(({ paths }) => Object.entries(paths)))),
  };
  return {
    ...total,
    organizations: organizations.slice(0, MAX_ORGANIZATIONS).map(([id, connections]) => ({
      organizationId: ids.encode('org', id),
      connections,
    })),
    processes: known.slice(0, MAX_PROCESSES).map((each) => ({
      process: each.process,
      startedAt: each.startedAt,
      ...sum([each]),
      paths: pathsOf(sumBy(Object.entries(each.paths))),
    })),
  };
}

function sum(stats: readonly ProcessStats[]) {
  const of = (count: (each: ProcessStats) => number) => stats.reduce((total, each) => total + count(each), 0);
  return {
    connections: of(({ paths }) => Object.values(paths).reduce((total, count) => total + count, 0)),
    subscriptions: of(({ subscriptions }) => subscriptions),
    queuedBytes: of(({ queuedBytes }) => queuedBytes),
    dropped: { tooSlow: of(({ dropped }) => dropped.tooSlow), tooMuch: of(({ dropped }) => dropped.tooMuch) },
  };
}

/** The largest first. */
function sumBy<Key>(counts: readonly (readonly [Key, number])[]): [Key, number][] {
  const sums = new Map<Key, number>();
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
  return [...sums].sort(([, a], [, b]) => b - a);
}

const pathsOf = (counts: readonly [path: string, connections: number][]) =>
  counts.map(([path, connections]) => ({ path, connections }));
