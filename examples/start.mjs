// node tools/run.mjs examples/start.mjs quickstart: builds the SDK and runs one example against the server
// that BASE names.
import { fileURLToPath } from 'node:url';
import { buildSdk, run } from './build-sdk.mjs';

const baseUrl = process.env.RENTAPI_URL ?? process.env.BASE ?? 'http://localhost:8000';

async function start(name) {
  if (!(await fetch(`${baseUrl}/health/liveness`).catch(() => undefined))) {
    process.stderr.write(`No RentAPI answers at ${baseUrl}: start one with npm start, or name another in BASE.\n`);
    return 1;
  }
  const built = await buildSdk();
  if (built !== 0) return built;
  return run(process.execPath, ['main.ts'], {
    cwd: fileURLToPath(new URL(name, import.meta.url)),
    env: { ...process.env, RENTAPI_URL: baseUrl },
  });
}

process.exitCode = await start(process.argv[2]);
