import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How long open requests may take to finish: a restart must take under two seconds, the final stop need not. */
const RESTART_GRACE_MS = 1000;
const STOP_GRACE_MS = 15_000;

export interface Supervisor {
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Keeps one server process running: `restart()` replaces it, and after a crash it stays down until the next restart.
 */
export function superviseServer(options: {
  program: string;
  env: NodeJS.ProcessEnv;
  printLine: (line: string) => void;
}): Supervisor {
  let child: ChildProcess | undefined;
  let ending: ChildProcess | undefined; // the process being ended
  let stopping = false;
  let isReplacing = false;

  const start = () => {
    const started = spawn(
      process.execPath,
      [...process.execArgv, '--import', new URL('./follow-parent.ts', import.meta.url).href, options.program, 'start'],
      { env: options.env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
    );
    started.once('exit', (code, signal) => {
      if (child === started) child = undefined;
      if (stopping || ending === started) return;
      options.printLine(`The server stopped (${signal ?? `exit code ${code}`}): waiting for a change.`);
    });
    child = started;
  };

  const end = async (graceMs: number) => {
    if (!child) return;
    ending = child;
    const exited = once(child, 'exit');
    const kill = setTimeout(() => ending?.kill('SIGKILL'), graceMs);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(kill);
  };

  start();
  return {
    // Changes that come during a restart are covered by it: the new process reads the newest sources.
    async restart() {
      if (isReplacing || stopping) return;
      isReplacing = true;
      await end(RESTART_GRACE_MS);
      isReplacing = false;
      if (!stopping) start();
    },
    async stop() {
      stopping = true;
      await end(STOP_GRACE_MS);
    },
  };
}
