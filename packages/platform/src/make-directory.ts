import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * `mkdir -p` for a directory that an operator named. Node's own `recursive` never returns, and ignores signals, where
 * an existing directory such as /proc reports "no such directory" for its child. Throws an Error of one sentence.
 */
export function makeDirectory(dir: string): void {
  try {
    make(path.resolve(dir));
  } catch (error) {
    throw new Error(`Cannot create the data directory ${dir}: ${(error as Error).message}`, { cause: error });
  }
}

function make(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = path.dirname(dir);
  if (parent !== dir) make(parent);
  try {
    mkdirSync(dir);
  } catch (error) {
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error; // else another start was first
  }
}
