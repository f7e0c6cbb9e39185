import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Supervisor, superviseServer } from './supervisor.ts';
import { watchSources } from './watch.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'rentapi-dev-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the supervisor', () => {
  let server: Supervisor | undefined;
  let printed: string[];
  beforeEach(() => {
    printed = [];
  });
  afterEach(() => server?.stop());

  /** A server that appends one word to a file when it starts and another when it must stop. */
  function supervise(body: string) {
    const program = path.join(directory, 'server.mjs');
    const log = path.join(directory, 'log');
    writeFileSync(log, '');
    writeFileSync(
      program,
      `import { appendFileSync } from 'node:fs'; const write = (w) => appendFileSync(${JSON.stringify(log)}, w + ' '); write('up'); ${body}`,
    );
    server = superviseServer({ program, env: process.env, printLine: (line) => printed.push(line) });
    return { server, log: () => readFileSync(log, 'utf8').trim() };
  }
  const ENDURE = "process.on('SIGTERM', () => { write('down'); process.exit(0); }); setInterval(() => {}, 1000);";

  it('replaces the server, the old one first', async () => {
    const { server, log } = supervise(ENDURE);
    await expect.poll(() => log()).toBe('up');
    await server.restart();
    await expect.poll(() => log()).toBe('up down up');
    await server.stop();
    expect(log()).toBe('up down up down');
    expect(printed).toEqual([]);
  });

  it('does not wait for a server that ignores the request to stop', async () => {
    // Only the first one ignores the signal, so that the test itself can end.
    const { server, log } = supervise(
      `const { readFileSync } = await import('node:fs');
       if (readFileSync(${JSON.stringify(path.join(directory, 'log'))}, 'utf8') === 'up ') process.on('SIGTERM', () => {});
       setInterval(() => {}, 1000);`,
    );
    await expect.poll(() => log()).toBe('up');
    await server.restart();
    await expect.poll(() => log()).toBe('up up');
  });

  it('waits for a change when the server fails', async () => {
    const { server, log } = supervise('process.exit(3);');
    await expect.poll(() => printed).toEqual(['The server stopped (exit code 3): waiting for a change.']);
    await server.restart();
    await expect.poll(() => log()).toBe('up up');
  });
});

it('reports a burst of changes to sources once, and never a test', async () => {
  mkdirSync(path.join(directory, 'apps/server/src'), { recursive: true });
  mkdirSync(path.join(directory, 'packages/api/src/keys'), { recursive: true });
  const seen: string[] = [];
  const watch = watchSources(directory, (file) => seen.push(file));
  const save = (name: string) =>
    writeFileSync(path.join(directory, 'packages/api/src/keys', name), String(Math.random()));
  save('router.test.ts');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(seen).toEqual([]);
  for (let i = 0; i < 5; i++) save('router.ts');
  await expect.poll(() => seen).toEqual([path.join('packages/api/src/keys/router.ts')]);
  watch.close();
});
