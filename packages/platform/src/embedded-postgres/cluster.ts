import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { isAlive } from '../process-alive.ts';
import { reasonIn } from './failure.ts';
import { type Place, runInitdb } from './postmaster.ts';

const MAJOR = '18';
const PASSWORD_FILE = 'rentapi.password';

/**
 * Runs initdb unless the cluster exists. The cluster is created under another name and renamed when complete, so a
 * killed start leaves no half cluster.
 */
export async function createCluster(place: Place, say: (line: string) => void): Promise<void> {
  if (existsSync(place.cluster)) return;
  requirePasswdEntry(place);
  say('Creating the database.');
  const home = path.dirname(place.cluster);
  removeAbandonedDrafts(home);
  const draft = path.join(home, `pg.new-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const whole = await initdb(place, draft);
    renameSync(whole, place.cluster);
  } catch (error) {
    // Of two concurrent first starts one wins, and both use its cluster; the password is stored inside it.
    if (!existsSync(place.cluster)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function initdb(place: Place, draft: string): Promise<string> {
  const data = path.join(draft, 'data');
  const passwordFile = path.join(draft, 'password');
  const password = randomBytes(24).toString('base64url');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (place.identity.switch) {
    for (const each of [draft, data, passwordFile]) chownSync(each, place.identity.uid, place.identity.gid);
  }
  // The builtin locale is the same on every platform; the C library's are not.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
  const login = ['--username=rentapi', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  // No sync: a power cut during creation loses only a draft, which the next start removes.
  const { succeeded, output } = await runInitdb(place, [
    `--pgdata=${data}`,
    ...login,
    ...locale,
    '--no-instructions',
    '--no-sync',
  ]);
  if (!succeeded) throw new Error(`Creating the database failed: ${reasonIn(output)} (see ${place.log})`);
  writeFileSync(path.join(data, PASSWORD_FILE), password, { mode: 0o600 });
  return data;
}

/** The password of a cluster that is ours and of our version; otherwise an Error that says what to do. */
export function openCluster(place: Place): { password: string } {
  const { cluster, identity } = place;
  const owner = statSync(cluster).uid;
  if (process.platform !== 'win32' && owner !== identity.uid) {
    throw new Error(
      `${cluster} belongs to uid ${owner} (made by a start as root?): chown it, or set another DATA_DIR.`,
    );
  }
  const major = readIn(cluster, 'PG_VERSION').trim();
  if (major !== MAJOR) {
    throw new Error(
      `${cluster} was made by PostgreSQL ${major}, and this is ${MAJOR}: dump it with PostgreSQL ${major} and restore it into a new DATA_DIR.`,
    );
  }
  return { password: readIn(cluster, PASSWORD_FILE) };
}

function readIn(cluster: string, file: string): string {
  try {
    return readFileSync(path.join(cluster, file), 'utf8');
  } catch (error) {
    throw new Error(`${cluster} has no readable ${file}, so it is not a database of RentAPI: set another DATA_DIR.`, {
      cause: error,
    });
  }
}

/** initdb refuses a uid without a passwd entry; this explains it first, in plain words. */
function requirePasswdEntry({ identity }: Place): void {
  if (identity.switch || process.platform === 'win32') return;
  try {
    userInfo();
  } catch (error) {
    throw new Error(
      `User id ${identity.uid} has no entry in /etc/passwd, which PostgreSQL requires: add one, or set DATABASE_URL.`,
      {
        cause: error,
      },
    );
  }
}

function removeAbandonedDrafts(home: string): void {
  for (const name of readdirSync(home)) {
    const maker = /^pg\.new-(\d+)-/.exec(name)?.[1];
    if (maker && !isAlive(Number(maker))) rmSync(path.join(home, name), { recursive: true, force: true });
  }
}
