// Runs the examples and the README's own commands against a real server: a new database, a free port, the built SDK.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildSdk, run } from './build-sdk.mjs';
import { documentCommands, paste } from './documents.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
/** What runs an example: itself, or, for a web page, what uses it in a browser. */
const PROGRAMS = ['main.ts', 'in-chromium.ts'];
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;

function examples() {
  const folders = readdirSync(join(root, 'examples')).sort();
  return folders.flatMap((name) => {
    const program = PROGRAMS.find((each) => existsSync(join(root, 'examples', name, each)));
    return program ? [{ name, program }] : [];
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * A page of another origin, and a provider of logins, for examples/sign-in. All documents sign in within one minute,
 * which no reader does.
 */
function signInSettings(pagePort, providerPort) {
  return {
    CORS_ORIGINS: `*,http://localhost:${pagePort}`,
    OIDC_ISSUER: `http://localhost:${providerPort}`,
    OIDC_CLIENT_ID: 'rentapi',
    OIDC_CLIENT_SECRET: 'the-secret-of-the-example',
    AUTH_RATE_LIMIT_PER_MINUTE: '300',
  };
}

async function startServer(port, dataDir, settings) {
  const env = { ...process.env, PORT: String(port), DATA_DIR: dataDir, ...settings };
  const server = spawn(process.execPath, [join(root, 'apps/server/src/main.ts'), 'start'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk) => (log = (log + chunk).slice(-20_000)));
  const ended = new Promise((resolve) => server.once('exit', resolve));
  return { server, ended, log: () => log };
}

async function untilReady(url, { server }) {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadlineMs) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`The server ended while starting (${server.exitCode ?? server.signalCode}).`);
    const response = await fetch(`${url}/health/readiness`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(200);
  }
  throw new Error(`The server was not ready within ${START_TIMEOUT_MS / 1000} s.`);
}

async function stopServer({ server, ended }) {
  server.kill('SIGTERM');
  const late = Symbol('late');
  if ((await Promise.race([ended, sleep(STOP_TIMEOUT_MS, late, { ref: false })])) !== late) return;
  server.kill('SIGKILL');
  throw new Error(`The server did not stop within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM.`);
}

async function main() {
  const sessions = documentCommands();
  const built = await buildSdk();
  if (built !== 0) return built;

  const dataDir = mkdtempSync(join(tmpdir(), 'rentapi-examples-'));
  chmodSync(dataDir, 0o755); // under root, the database runs as another user, who must reach its files here
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const [pagePort, providerPort] = [await freePort(), await freePort()];
  const running = await startServer(port, dataDir, signInSettings(pagePort, providerPort));
  const servicePort = String(await freePort());
  const ports = { PAGE_PORT: String(pagePort), PROVIDER_PORT: String(providerPort) };
  const stop = () => running.server.kill('SIGTERM');
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    await untilReady(url, running);
    for (const { name, program } of examples()) {
      process.stdout.write(`\n— examples/${name}\n`);
      const options = { cwd: join(root, 'examples', name), env: { ...process.env, RENTAPI_URL: url, ...ports } };
      const compiled = await run(process.execPath, [tsc, '-p', '.'], options);
      const code = compiled || (await run(process.execPath, [program], options));
      if (code !== 0) throw Object.assign(new Error(`examples/${name} failed with ${code}.`), { exitCode: code });
    }
    for (const { name, commands } of sessions) {
      process.stdout.write(`\n— ${name}\n`);
      const code = await run('bash', ['-e', '-o', 'pipefail', '-c', commands], {
        cwd: root,
        env: { ...process.env, BASE: url, SERVICE_PORT: servicePort },
      });
      if (code !== 0)
        throw Object.assign(new Error(`The commands of ${name} failed with ${code}.`), { exitCode: code });
    }
    await paste(sessions[0], url);
    return 0;
  } catch (error) {
    process.stderr.write(`\n${error.message}\n— the server's last words\n${running.log()}\n`);
    return error.exitCode ?? 1;
  } finally {
    await stopServer(running);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

process.exitCode = await main();
