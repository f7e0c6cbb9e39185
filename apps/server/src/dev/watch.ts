import { type FSWatcher, globSync, watch } from 'node:fs';
import path from 'node:path';

/** One save often causes several events, and a checkout of another branch hundreds. */
const SETTLE_MS = 100;

/** Reports a changed source of the server or of a package by its path in the repository. Tests do not count. */
export function watchSources(repository: string, onChange: (file: string) => void): { close(): void } {
  const directories = ['apps/server/src', ...globSync('packages/*/src', { cwd: repository })];
  let timer: NodeJS.Timeout | undefined;
  const watchers: FSWatcher[] = directories.map((directory) =>
    watch(path.join(repository, directory), { recursive: true }, (_event, name) => {
      if (!name || !/\.(ts|json|sql|html)$/.test(name) || name.endsWith('.test.ts')) return;
      clearTimeout(timer);
      timer = setTimeout(() => onChange(path.join(directory, name)), SETTLE_MS);
    }),
  );
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
