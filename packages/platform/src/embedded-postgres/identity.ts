import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeDirectory } from '../make-directory.ts';

/** The user PostgreSQL runs as. `switch` is set only for root, under which PostgreSQL refuses to run. */
export interface Identity {
  uid: number;
  gid: number;
  switch: boolean;
}

/** The directory of a cluster, and its log. */
export interface Home {
  cluster: string;
  log: string;
}

/** Left in a data directory whose cluster had to be elsewhere. */
const POINTER = 'DATABASE-IS-IN';

export function chooseIdentity(dataDir: string): Identity {
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  if (uid !== 0) return { uid, gid, switch: false };
  // An existing cluster keeps its owner: `sudo npm start` in a user's checkout must find the user's data.
  const cluster = path.join(dataDir, 'pg');
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, switch: true };
  return { ...unprivilegedUser(), switch: true };
}

/** initdb refuses a uid without a passwd entry, so a bare number will not do. */
function unprivilegedUser(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.uid > 0);
  const { uid, gid } = users.find((user) => user.name === 'nobody') ?? users[0] ?? { uid: 65534, gid: 65534 };
  return { uid, gid };
}

/**
 * The cluster is in `dataDir`, or below `rootDir` where `identity` cannot enter `dataDir` (root's own 0700
 * directories).
 */
export function locateHome(dataDir: string, identity: Identity, rootDir: string, say: (line: string) => void): Home {
  assertOneLine(path.resolve(dataDir));
  makeDirectory(dataDir);
  const real = realpathSync(dataDir);
  assertOneLine(real);
  const pointer = path.join(real, POINTER);
  let home = real;
  if (existsSync(pointer)) {
    home = readFileSync(pointer, 'utf8').trim();
  } else if (identity.switch && !canEnter(real, identity)) {
    home = path.join(rootDir, createHash('sha256').update(real).digest('hex').slice(0, 16));
    mkdirSync(home, { recursive: true, mode: 0o755 });
    writeFileSync(pointer, `${home}\n`);
    say(`${real} cannot be entered by an unprivileged user: the database is in ${home}.`);
  }
  return { cluster: path.join(home, 'pg'), log: path.join(home, 'pg.log') };
}

/** PostgreSQL stores its directory as a line of a file, by which its server is found again. */
function assertOneLine(dir: string): void {
  if (!/\p{Cc}/u.test(dir)) return;
  throw new Error(`DATA_DIR ${JSON.stringify(dir)} has a line break or another control character: set another one.`);
}

/** Whether `identity` may pass through every directory down to `dir`. */
export function canEnter(dir: string, identity: Identity): boolean {
  const stat = statSync(dir);
  const bit = stat.uid === identity.uid ? 0o100 : stat.gid === identity.gid ? 0o010 : 0o001;
  if ((stat.mode & bit) === 0) return false;
  const parent = path.dirname(dir);
  return parent === dir || canEnter(parent, identity);
}
