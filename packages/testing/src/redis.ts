import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** A real redis-server for one test, which can be killed and started again on the same port. */
export interface TestRedis {
  url: string;
  port: number;
  start(): Promise<void>;
  /** SIGKILL: what a crash looks like from outside. */
  kill(): Promise<void>;
  /** SIGSTOP: connected, and silent. */
  freeze(): void;
  thaw(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface TestRedisCluster {
  url: string;
  nodes: TestRedis[];
  stop(): Promise<void>;
}

/** For `describe.skipIf`: whether redis-server is missing. With CI_REQUIRE_REDIS=1 that is an error instead. */
export function redisIsMissing(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    if (process.env['CI_REQUIRE_REDIS'] === '1') {
      throw new Error('CI_REQUIRE_REDIS is set and there is no redis-server: apt-get install redis-server');
    }
    return true;
  }
}

/** Empty, in memory only, for this machine only; `settings` are redis.conf's. */
export async function startTestRedis(settings: Record<string, string> = {}): Promise<TestRedis> {
  const port = await freePort();
  const dir = mkdtempSync(path.join(tmpdir(), `rentapi-test-redis-${process.pid}-`));
  const all = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no', ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let shell: ChildProcess | undefined;
  let pid = 0;

  async function start(): Promise<void> {
    // The shell reads from this process: when this process ends for any reason, the read ends and the server stops.
    const script = 'redis-server "$@" >/dev/null 2>&1 & echo $!; read -r _; kill -9 $! 2>/dev/null';
    shell = spawn('sh', ['-c', script, 'sh', ...flags], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [line] = await once(shell.stdout!, 'data');
    pid = Number(String(line));
    await untilAnswers(port);
  }

  async function kill(): Promise<void> {
    if (!shell || shell.exitCode !== null) return;
    const gone = once(shell, 'exit');
    process.kill(pid, 'SIGKILL');
    shell.stdin!.end();
    await gone;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill,
    freeze: () => void process.kill(pid, 'SIGSTOP'),
    thaw: () => void process.kill(pid, 'SIGCONT'),
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const SLOTS = 16_384;

/** Three masters and no replicas, which share the slots. */
export async function startTestRedisCluster(): Promise<TestRedisCluster> {
  const nodes: TestRedis[] = [];
  for (let i = 0; i < 3; i++) {
    nodes.push(
      await startTestRedis({
        'cluster-enabled': 'yes',
        'cluster-port': String(await freePort()),
        'cluster-node-timeout': '1000',
      }),
    );
  }
  const clients = nodes.map((node) => new Redis(node.port, '127.0.0.1'));
  try {
    await Promise.all(
      clients.map((client, i) => {
        const from = Math.ceil((SLOTS * i) / clients.length);
        const to = Math.ceil((SLOTS * (i + 1)) / clients.length) - 1;
        return client.cluster('ADDSLOTSRANGE', from, to);
      }),
    );
    const [first, ...others] = clients;
    for (const other of others) {
      const { port, 'cluster-port': busPort } = await settingsOf(other);
      await first!.call('CLUSTER', 'MEET', '127.0.0.1', port!, busPort!);
    }
    for (const client of clients) await untilWhole(client, clients.length);
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`,
    nodes,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function settingsOf(client: Redis): Promise<Record<string, string>> {
  const pairs = (await client.config('GET', 'port', 'cluster-port')) as string[];
  return Object.fromEntries(pairs.map((name, i) => [name, pairs[i + 1]!]).filter((_, i) => i % 2 === 0));
}

async function untilWhole(client: Redis, size: number): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(50)) {
    const info = String(await client.cluster('INFO'));
    if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`)) return;
  }
  throw new Error('the test cluster did not come up');
}

async function untilAnswers(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  client.on('error', () => {}); // refused until it listens
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}
