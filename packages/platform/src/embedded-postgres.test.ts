import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reasonIn } from './embedded-postgres/failure.ts';
import { DataDirInUseError, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { isAlive } from './process-alive.ts';

let dataDir: string;
let running: EmbeddedPostgres[];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'rentapi-embedded-'));
  chmodSync(dataDir, 0o755); // under root the server runs as another user, who must be able to enter
  running = [];
});

afterEach(async () => {
  for (const server of running) await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(label?: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' }, ...(label ? { label } : {}) });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** Another RentAPI, in another process, that only holds the database; resolves when the database is up. */
async function startElsewhere(): Promise<{ parent: ChildProcess; postgresPid: number }> {
  const module = new URL('./embedded-postgres.ts', import.meta.url).href;
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, label: 'rentapi ' + process.pid + ' http 8123' });
    console.log(server.pid);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
  return { parent, postgresPid: Number(line.toString()) };
}

async function killAndWait(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the embedded PostgreSQL', () => {
  it('creates a cluster at the first start and keeps its data for the next', async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')");
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'still here' }]);
  });

  it('serves as a role that owns nothing, also from a cluster of before it, and after a new password', async () => {
    const first = await start();
    const who = 'select current_user as name, has_schema_privilege(current_schema(), $$create$$) as creates';
    const expected = [{ name: 'rentapi_serving', creates: false }];
    expect(await query(first.servingUrl, who)).toEqual(expected);
    await query(first.url, 'drop role rentapi_serving');
    await first.stop();
    const upgraded = await start();
    expect(await query(upgraded.servingUrl, who)).toEqual(expected);
    await query(upgraded.url, "alter role rentapi password 'another'");
    writeFileSync(path.join(dataDir, 'pg', 'rentapi.password'), 'another');
    await upgraded.stop();
    const renewed = await start();
    expect(await query(renewed.servingUrl, who)).toEqual(expected);
  });

  it('compares text the same way on every platform', async () => {
    const { url } = await start();
    expect(await query(url, "SELECT upper('é') AS u, 'B' < 'a' AS bytewise")).toEqual([{ u: 'É', bytewise: true }]);
  });

  it('stops without leaving a process or a pid file', async () => {
    const server = await start();
    await server.stop();
    await expect.poll(() => isAlive(server.pid)).toBe(false); // Node reaps its child a moment later
    expect(existsSync(path.join(dataDir, 'pg', 'postmaster.pid'))).toBe(false);
    await server.stop(); // a second stop does nothing
  });

  it('leaves no half-made cluster, and no password except inside it', async () => {
    await start();
    expect(readdirSync(dataDir).sort()).toEqual(['pg', 'pg.log']);
    expect(statSync(path.join(dataDir, 'pg', 'rentapi.password')).mode & 0o777).toBe(0o600);
  });

  it('refuses a second start and names the first', async () => {
    const { parent } = await startElsewhere();
    const refusal = await start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataDirInUseError);
    expect((refusal as Error).message).toBe(
      `${dataDir} is already used by a running RentAPI (pid ${parent.pid}, http://localhost:8123). Stop it, or set another DATA_DIR.`,
    );
    await killAndWait(parent);
    await start();
  });

  it('gives read-only commands the server of the first, which continues after them', async () => {
    const { parent, postgresPid } = await startElsewhere();
    const attached = await startEmbeddedPostgres({ dataDir, attach: true });
    expect(attached.pid).toBe(postgresPid);
    await attached.stop();
    expect(await query(attached.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await killAndWait(parent);
    await start();
  });

  it('lets one of two concurrent first starts win', async () => {
    const results = await Promise.allSettled([start(), start()]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')?.reason).toBeInstanceOf(DataDirInUseError);
  });

  it('adopts a server whose parent was killed, with its data', async () => {
    const { parent, postgresPid } = await startElsewhere();
    await killAndWait(parent);
    const adopted = await start();
    expect(adopted.pid).toBe(postgresPid);
    expect(await query(adopted.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await adopted.stop();
    expect(isAlive(postgresPid) && existsSync(path.join(dataDir, 'pg', 'postmaster.pid'))).toBe(false);
  });

  it('recovers after its server and its parent were killed', async () => {
    const { parent, postgresPid } = await startElsewhere();
    process.kill(postgresPid, 'SIGKILL');
    await killAndWait(parent);
    const restarted = await start();
    expect(restarted.pid).not.toBe(postgresPid);
    expect(await query(restarted.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts although the pid file names another living process', async () => {
    const first = await start();
    await first.stop();
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const lines = [stranger.pid, path.join(dataDir, 'pg'), 1_700_000_000, 1, '', '127.0.0.1', '  0  0', 'ready'];
    writeFileSync(path.join(dataDir, 'pg', 'postmaster.pid'), `${lines.join('\n')}\n`);
    await start();
    await killAndWait(stranger);
  });

  it('keeps the cluster when Postgres drops every connection', async () => {
    const server = await start('rentapi 4711 http 8124');
    await query(
      server.url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'rentapi%'",
    );
    await sleep(300);
    await expect(start()).rejects.toThrow('pid 4711, http://localhost:8124');
  });

  it('listens on ::1 where the machine has no other address', async () => {
    const has6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));
    const only = has6 ? '::1' : '127.0.0.1';
    // 192.0.2.1 is not assigned (RFC 5737): it fails as 127.0.0.1 does in such a namespace.
    const server = await startEmbeddedPostgres({
      dataDir,
      settings: { fsync: 'off' },
      loopback: ['192.0.2.1', only],
    });
    running.push(server);
    expect(new URL(server.url).hostname).toBe(has6 ? '[::1]' : only);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const attached = await startEmbeddedPostgres({ dataDir, attach: true });
    expect(attached.url).toBe(server.url);
  });

  it('says why it cannot start where the machine has no loopback address', async () => {
    await expect(startEmbeddedPostgres({ dataDir, loopback: ['192.0.2.1'] })).rejects.toThrow(
      /none of 192\.0\.2\.1: set DATABASE_URL\.$/,
    );
  });

  it('refuses a data directory with a line break, and leaves nothing running', async () => {
    dataDir = path.join(dataDir, 'a\nb');
    await expect(start()).rejects.toThrow(/^DATA_DIR ".*a\\nb" has a line break/);
    expect(existsSync(dataDir)).toBe(false);
    dataDir = path.dirname(dataDir);
  });

  it('reports why initdb failed, and not that it has cleaned up', async () => {
    const module = new URL('./embedded-postgres.ts', import.meta.url).href;
    const program = `
      const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
      await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} }).catch((error) => console.log(error.message));`;
    const limited = spawn(
      'sh',
      ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', program],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    limited.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
    await once(limited, 'close');
    expect(said).toMatch(/^Creating the database failed: FATAL: insufficient file descriptors .* \(see .*pg\.log\)\n$/);
  });

  it('reports why its server does not start', async () => {
    const first = await start();
    await first.stop();
    const broken = startEmbeddedPostgres({ dataDir, settings: { fsync: 'off', shared_buffers: '1' } });
    await expect(broken).rejects.toThrow(/^PostgreSQL did not start: FATAL: .*shared_buffers.* \(see .*pg\.log\)$/);
  });

  it('refuses a cluster made by another major version', async () => {
    const first = await start();
    await first.stop();
    writeFileSync(path.join(dataDir, 'pg', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/made by PostgreSQL 17, and this is 18: dump it/);
  });
});

it.each([
  [
    'creating configuration files ... ok\nrunning bootstrap script ... 2026-01-31 12:00:00.000 UTC [7] FATAL:  could not extend file "base/1/1255": wrote only 4096 of 8192 bytes\n2026-01-31 12:00:00.000 UTC [7] HINT:  Check free disk space.\nchild process exited with exit code 1\ninitdb: removing contents of data directory "/d"\n',
    'FATAL: could not extend file "base/1/1255": wrote only 4096 of 8192 bytes Check free disk space.',
  ],
  [
    'initdb: error: could not create directory "/d": Permission denied\ninitdb: removing contents of data directory "/d"\n',
    'error: could not create directory "/d": Permission denied',
  ],
  ['Segmentation fault\n', 'Segmentation fault'],
  ['', 'it printed nothing'],
])("finds the reason in PostgreSQL's output: %j", (output, reason) => expect(reasonIn(output)).toBe(reason));
