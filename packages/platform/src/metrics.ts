import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { execute, hasLane, type Knex, type Statement } from './database.ts';

export { Counter, Gauge, Histogram, Registry };

/** CPU, memory, event-loop lag and garbage collection of this process. Once per process: it measures all the time. */
export function measureProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  measureLag(registry);
}

const NEVER_MS = 2 ** 31 - 1;
const LAG_EVERY_MS = 100;
const NS = 1e9;
const lateS = (ns: number): number => Math.max(ns / NS - LAG_EVERY_MS / 1000, 0);
const LAG: readonly [string, (measured: ELDHistogram) => number][] = [
  ['min', ({ min }) => lateS(min)],
  ['max', ({ max }) => lateS(max)],
  ['mean', ({ mean }) => lateS(mean)],
  ['stddev', ({ stddev }) => stddev / NS],
  ['p50', (measured) => lateS(measured.percentile(50))],
  ['p90', (measured) => lateS(measured.percentile(90))],
  ['p99', (measured) => lateS(measured.percentile(99))],
];

/**
 * How late a timer of the event loop was, under prom-client's names. Its own wakes the process 100 times a second, a
 * third of the CPU of an idle server, and counts the time between two wakes as lag.
 */
function measureLag(registry: Registry): void {
  const measured = monitorEventLoopDelay({ resolution: LAG_EVERY_MS });
  measured.enable();

  function collect(): void {
    if (measured.count === 0) return; // the last scrape was a moment ago
    for (const { gauge, read } of gauges) gauge.set(read(measured));
    measured.reset();
  }

  const gauges = LAG.map(([what, read], at) => {
    const name = `nodejs_eventloop_lag_${what}_seconds`;
    registry.removeSingleMetric(name);
    const help = `How late the event loop was since the last scrape: ${what}.`;
    return { gauge: new Gauge({ name, help, registers: [registry], ...(at === 0 && { collect }) }), read };
  });
}

/** Connections of the pool and the lane beside it, read at each scrape. */
export function measurePool(registry: Registry, database: Knex): void {
  const { pool } = database.client as { pool?: ConnectionPool };
  new Gauge({
    name: 'database_pool_connections',
    help: 'Connections to Postgres, by what they are doing.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      if (!pool) return;
      this.set({ state: 'used' }, pool.numUsed());
      this.set({ state: 'free' }, pool.numFree());
      this.set({ state: 'lane' }, hasLane(database) ? 1 : 0);
    },
  });
  new Gauge({
    name: 'database_pool_pending',
    help: 'Requests that wait for a connection to Postgres.',
    registers: [registry],
    collect() {
      if (pool) this.set(pool.numPendingAcquires());
    },
  });
}

/** The part of knex's pool that is read here. */
interface ConnectionPool {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/**
 * A gauge for each column of one cheap statement, run at most every `everyMs` for any number of scrapers; where `label`
 * is a column, each row is a value of its own. A database that is slow or gone leaves the gauges out of this answer
 * instead of delaying it.
 */
export function measureRows(
  registry: Registry,
  options: {
    database: Knex;
    statement: Statement;
    gauges: Record<string, string>;
    label?: string;
    everyMs: number;
    timeoutMs: number;
    onError: (error: unknown) => void;
  },
): void {
  const { database, statement, gauges, label, everyMs, timeoutMs, onError } = options;
  type Measured = Record<string, number | string>;
  let asked: { atMs: number; rows: Promise<Measured[]> } | undefined;

  function readRows(): Promise<Measured[]> {
    const atMs = performance.now();
    if (!asked || atMs - asked.atMs > everyMs) {
      asked = { atMs, rows: within(timeoutMs, execute<Measured>(database, statement, []), onError) };
    }
    return asked.rows;
  }

  for (const [name, help] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      ...(label !== undefined && { labelNames: [label] }),
      registers: [registry],
      async collect() {
        const rows = await readRows();
        if (label === undefined) this.remove();
        else this.reset();
        for (const row of rows) this.set(label === undefined ? {} : { [label]: row[label]! }, Number(row[name]));
      },
    });
  }
}

/** No rows where it fails or takes longer. */
function within<Row>(timeoutMs: number, work: Promise<Row[]>, onError: (error: unknown) => void): Promise<Row[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, []);
    work.catch(onError).then((rows) => {
      clearTimeout(timer);
      resolve(rows ?? []);
    });
  });
}
