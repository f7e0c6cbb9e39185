import { readFileSync, statSync } from 'node:fs';

const MAX_LENGTH = 500;
const CAUSES = [/\b(?:FATAL|PANIC): .*/, /\b(?:ERROR|error): .*/, /\bcould not .*/];

/**
 * Why a program of PostgreSQL failed: the first line that names the cause, because the last one is only about cleaning
 * up.
 */
export function reasonIn(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  for (const cause of CAUSES) {
    for (const [at, line] of lines.entries()) {
      const [found] = cause.exec(line) ?? [];
      if (!found) continue;
      const [, hint = ''] = /\bHINT: +(.*)/.exec(lines[at + 1] ?? '') ?? [];
      return `${found} ${hint}`.trim().replace(/\s+/g, ' ').slice(0, MAX_LENGTH);
    }
  }
  return (lines.at(-1) ?? 'it printed nothing').slice(0, MAX_LENGTH);
}

/** What is appended to a log from now on. */
export function followLog(log: string): () => string {
  const began = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  return () => {
    const bytes = readFileSync(log);
    return bytes.subarray(bytes.length < began ? 0 : began).toString(); // it was truncated in the meantime
  };
}
