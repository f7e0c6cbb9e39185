import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { locateBinaries } from './embedded-postgres/binaries.ts';
import { createCluster, openCluster } from './embedded-postgres/cluster.ts';
import { followLog, reasonIn } from './embedded-postgres/failure.ts';
import { connect, DataDirInUseError, takeGuard } from './embedded-postgres/guard.ts';
import { chooseIdentity, locateHome } from './embedded-postgres/identity.ts';
import {
  clearStalePid,
  LOOPBACK,
  launch,
  type Place,
  readPostmaster,
  stopPostmaster,
} from './embedded-postgres/postmaster.ts';
import { createServingRole, renewPassword, servingLogin } from './embedded-postgres/serving-role.ts';

export { DataDirInUseError };

/** The embedded PostgreSQL server, which listens on this machine only. */
export interface EmbeddedPostgres {
  /** As the owner, a superuser: for migrations. */
  url: string;
  /** As a role that owns nothing: for everything else. */
  servingUrl: string;
  port: number;
  pid: number;
  /**
   * Ends the server, if this process started it, and returns when it is gone. Close your own connections first: this
   * cuts the rest.
   */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  /** How this process introduces itself in the message to a second start: `rentapi <pid> http <port>`. */
  label?: string;
  /** Use the server of a running RentAPI, for commands that only read; otherwise it is refused. */
  attach?: boolean;
  /** The addresses of this machine to listen on; the first one that exists is used. */
  loopback?: readonly string[];
  /** Extra server settings, such as `{ fsync: 'off' }` for tests. */
  settings?: Record<string, string>;
  /** Called with a line for each step of a slow start. */
  onStep?: (line: string) => void;
  /** Where clusters and binaries go when root starts below a directory that no other user may enter. */
  rootDir?: string;
}

// Replaying the log after a power cut can take long; a start that fails ends sooner, by MAX_LAUNCHES.
const START_TIMEOUT_MS = 300_000;
const MAX_LAUNCHES = 3;
const POLL_MS = 20;

/**
 * Starts the PostgreSQL that npm installed, on the cluster in `dataDir`, creating it the first time. A server whose
 * parent was killed is adopted. Throws `DataDirInUseError` while another process uses the cluster; every other failure
 * is an Error of one sentence.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (error) {
    // No permission, no space, no such directory: the system's own words, and the path.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new Error(`The embedded database in ${options.dataDir} cannot start: ${error.message}`, { cause: error });
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const say = options.onStep ?? (() => {});
  const rootDir = options.rootDir ?? '/var/lib/rentapi';
  const identity = chooseIdentity(options.dataDir);
  const home = locateHome(options.dataDir, identity, rootDir, say);
  const place: Place = { ...home, identity, binaries: locateBinaries(identity, rootDir) };

  await createCluster(place, say);
  const { password } = openCluster(place);
  const login = { password, label: options.label ?? `rentapi ${process.pid}` };
  const { client, pid, host, port, found } = await reach(place, login, options);
  const serving = servingLogin(password);
  await createServingRole(client, serving);
  const guard = await takeGuard(client, { host, port, ...login, dataDir: options.dataDir }).catch((error: unknown) => {
    if (options.attach && error instanceof DataDirInUseError) return null;
    throw error;
  });
  if (found && guard) say('Found the database still running.');
  if (guard) await renewPassword(client, serving);

  const address = `${host.includes(':') ? `[${host}]` : host}:${port}/postgres`;
  return {
    url: `postgres://rentapi:${password}@${address}`,
    servingUrl: `postgres://${serving.user}:${serving.password}@${address}`,
    port,
    pid,
    async stop() {
      if (!guard) return;
      // The guard is kept until Postgres itself cuts it: released earlier, a second start could adopt a dying server.
      guard.expectEnd();
      await stopPostmaster(place, pid);
    },
  };
}

/** A connection to the cluster's server: a running one (an orphan, or another start's), or one launched here. */
async function reach(
  place: Place,
  login: { password: string; label: string },
  { settings = {}, loopback = LOOPBACK }: EmbeddedPostgresOptions,
) {
  const logged = followLog(place.log);
  let child: ChildProcess | undefined;
  let launches = 0;
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const running = readPostmaster(place.cluster);
    if (running) {
      const client = await connect({ host: running.host, port: running.port, ...login });
      if (client) return { client, ...running, found: running.pid !== child?.pid };
    } else if (!child || child.exitCode !== null || child.signalCode !== null) {
      if (launches === MAX_LAUNCHES) break;
      launches += 1;
      clearStalePid(place.cluster);
      child = await launch(place, settings, loopback);
    }
    await sleep(POLL_MS);
  }
  throw new Error(`PostgreSQL did not start: ${reasonIn(logged())} (see ${place.log})`);
}
