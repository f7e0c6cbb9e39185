import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { makeDirectory } from './make-directory.ts';

const Secrets = z.object({
  SECRET_KEY: z.string().min(32),
  ID_SECRET: z.string().min(32),
  PASSWORD_PEPPER: z.string().min(32),
});

/** The secrets for encryption, ids and passwords. Without them the data is of little use. */
export type EmbeddedSecrets = z.infer<typeof Secrets>;

/** The secrets of an embedded installation, created once and kept in `secrets.json` next to its database. */
export function loadOrCreateSecrets(dataDir: string): EmbeddedSecrets {
  const file = path.join(dataDir, 'secrets.json');
  return read(file) ?? create(file);
}

function read(file: string): EmbeddedSecrets | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`Cannot read the secrets in ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return Secrets.parse(JSON.parse(text));
  } catch (error) {
    // Creating new ones would silently change every id and lock all users out.
    throw new Error(`${file} does not contain the three secrets of this installation: restore it from a backup.`, {
      cause: error,
    });
  }
}

function create(file: string): EmbeddedSecrets {
  const fresh = () => randomBytes(32).toString('base64url');
  const secrets = { SECRET_KEY: fresh(), ID_SECRET: fresh(), PASSWORD_PEPPER: fresh() };
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  makeDirectory(path.dirname(file));
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file); // unlike a rename, it refuses to replace what another start created first
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return read(file)!;
    throw new Error(`Cannot keep the secrets in ${file}: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}
