import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../process-alive.ts';
import type { Home, Identity } from './identity.ts';

/** Everything needed to run a PostgreSQL program on the cluster. */
export interface Place extends Home {
  identity: Identity;
  binaries: string;
}

const MAX_LOG_BYTES = 10 * 1024 ** 2;

/** Where a server listens. */
export interface Address {
  host: string;
  port: number;
}

/** Containers and network namespaces may have only one of them. */
export const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** Starts the server, which outlives this process and appends its output to the log. */
async function runServer(place: Place, args: string[]): Promise<ChildProcess> {
  const log = openSync(place.log, 'a', 0o600);
  try {
    if (statSync(place.log).size > MAX_LOG_BYTES) truncateSync(place.log);
    return await run(place, 'postgres', args, ['ignore', log, log]);
  } finally {
    closeSync(log);
  }
}

/** Runs initdb to its end. Its output is kept in memory too: on a full disk the log may not take it. */
export async function runInitdb(place: Place, args: string[]): Promise<{ succeeded: boolean; output: string }> {
  const child = await run(place, 'initdb', args, ['ignore', 'pipe', 'pipe']);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  try {
    appendFileSync(place.log, output, { mode: 0o600 });
  } catch {
    // The caller has the output, which says it all.
  }
  return { succeeded: code === 0, output };
}

/** Runs one of PostgreSQL's programs as the cluster's user. */
async function run(
  place: Place,
  program: 'initdb' | 'postgres',
  args: string[],
  stdio: SpawnOptions['stdio'],
): Promise<ChildProcess> {
  try {
    const child = spawn(path.join(place.binaries, 'bin', program), args, {
      ...(place.identity.switch ? { uid: place.identity.uid, gid: place.identity.gid } : {}),
      // Not our environment: PGPORT, LC_ALL or TZ of the host must not affect the cluster.
      env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C', TZ: 'UTC' },
      cwd: path.parse(place.binaries).root,
      // A session of its own: a terminal's Ctrl-C must reach us first, Postgres last.
      detached: true,
      windowsHide: true,
      ...(stdio && { stdio }),
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    throw new Error(
      `Cannot run ${program} from ${place.binaries} (${(error as Error).message}); it needs glibc (not Alpine), otherwise set DATABASE_URL.`,
      { cause: error },
    );
  }
}

export async function launch(
  place: Place,
  settings: Record<string, string>,
  loopback: readonly string[],
): Promise<ChildProcess> {
  const { host, port } = await freeAddress(loopback);
  const all = {
    listen_addresses: host,
    unix_socket_directories: '',
    shared_buffers: '64MB',
    // Containers often give /dev/shm only 64 MB; mapped files have no such limit.
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = await runServer(place, ['-D', place.cluster, '-p', String(port), ...flags]);
  child.unref();
  return child;
}

/** The server that runs on this cluster now, started by any process. */
export function readPostmaster(cluster: string): (Address & { pid: number }) | undefined {
  const [pid, , , port, , host = ''] = readPidLines(cluster);
  if (!pid || !port || !isPostmaster(Number(pid), cluster)) return undefined;
  return { pid: Number(pid), port: Number(port), host: net.isIP(host) ? host : '127.0.0.1' };
}

/**
 * After kill -9, postmaster.pid can name a process that lives but is not our server: a reused number, or a zombie that
 * no parent reaped (containers). Postgres would then refuse to start. It treats its own parent's pid as stale and
 * checks by shared memory that no other server is left, so we write our pid rather than delete the file.
 */
export function clearStalePid(cluster: string): void {
  const [pid, ...rest] = readPidLines(cluster);
  if (!pid || !isAlive(Number(pid)) || isPostmaster(Number(pid), cluster)) return;
  writeFileSync(path.join(cluster, 'postmaster.pid'), [process.pid, ...rest].join('\n'));
}

/** Fast shutdown; after 20 s an immediate one. Returns when the server is gone. */
export async function stopPostmaster(place: Place, pid: number): Promise<void> {
  const isGone = () => readPostmaster(place.cluster)?.pid !== pid && !isPostmaster(pid, place.cluster);
  for (const [mode, signal] of [['fast', 'SIGINT'] as const, ['immediate', 'SIGQUIT'] as const]) {
    if (isGone()) return;
    signalPostmaster(place, pid, mode, signal);
    for (let waited = 0; waited < 20_000 && !isGone(); waited += 10) await sleep(10);
  }
}

function signalPostmaster(place: Place, pid: number, mode: string, signal: NodeJS.Signals): void {
  try {
    if (process.platform !== 'win32') process.kill(pid, signal);
    // Windows has no signals; there, kill() would be a crash.
    else execFileSync(path.join(place.binaries, 'bin', 'pg_ctl'), ['stop', '-D', place.cluster, '-m', mode, '-W']);
  } catch {
    // It ended by itself.
  }
}

function readPidLines(cluster: string): string[] {
  try {
    return readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

/**
 * The command line distinguishes our postmaster from its children, other servers, reused numbers and zombies (which
 * have none).
 */
function isPostmaster(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    switch (process.platform) {
      case 'linux':
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-D\0${cluster}\0`);
      case 'win32':
        return execFileSync('tasklist', ['/FI', `PID eq ${pid}`, '/NH'], { encoding: 'utf8' }).includes('postgres');
      default:
        return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(
          `-D ${cluster} `,
        );
    }
  } catch {
    return false;
  }
}

/** A free port on the first of the addresses that this machine has. */
async function freeAddress(loopback: readonly string[]): Promise<Address> {
  for (const host of loopback) {
    const server = net.createServer().listen(0, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      if (!/^(EADDRNOTAVAIL|EAFNOSUPPORT)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
      continue;
    }
    const { port } = server.address() as net.AddressInfo; // listening on TCP, so neither a path nor null
    server.close();
    await once(server, 'close');
    return { host, port };
  }
  throw new Error(
    `The embedded database listens on this machine only, which has none of ${loopback.join(', ')}: set DATABASE_URL.`,
  );
}
