// node tools/run.mjs examples/runbooks.mjs: runs the commands of docs/runbooks on a real deployment in a directory of
// its own, with dist/ and a PostgreSQL that holds something. Needs DATABASE_URL,
// DATABASE_MIGRATION_URL and REDIS_URL (.ci/with-services).
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './build-sdk.mjs';
import { runbookCommands } from './documents.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { DATABASE_URL, DATABASE_MIGRATION_URL, REDIS_URL } = process.env;

async function step(name, command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) throw new Error(`${name} failed with ${code}.`);
}

async function main() {
  const sessions = runbookCommands();
  const directory = mkdtempSync(join(tmpdir(), 'rentapi-runbooks-'));
  chmodSync(directory, 0o755); // for root, the embedded database runs as another user: it must reach its files here
  try {
    for (const name of ['dist', 'deploy', 'compose.yaml', 'Dockerfile', 'package.json', 'tools'])
      symlinkSync(join(root, name), join(directory, name));
    const secrets = ['SECRET_KEY', 'ID_SECRET', 'PASSWORD_PEPPER'].map((name) => [
      name,
      randomBytes(32).toString('base64'),
    ]);
    const settings = {
      ...Object.fromEntries(secrets),
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://api.example.com',
      DATABASE_URL,
      DATABASE_MIGRATION_URL,
      REDIS_URL,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(join(directory, '.env'), lines.join(''), { mode: 0o600 });

    const program = join(directory, 'dist/rentapi.mjs');
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    await step('migrate', process.execPath, [program, 'migrate', 'up'], { env: { ...env, ...settings } });
    await step('seed', process.execPath, [program, 'seed'], { env: { ...env, ...settings, NODE_ENV: 'development' } });
    const embedded = { ...env, DATA_DIR: join(directory, '.rentapi') };
    for (const name of Object.keys(settings)) delete embedded[name];
    await step('embedded', process.execPath, [join(root, 'apps/server/src/main.ts'), 'migrate', 'up'], {
      env: embedded,
    });

    for (const { name, commands } of sessions) {
      process.stdout.write(`\n— ${name}\n`);
      const deployed = { ...env };
      for (const setting of Object.keys(settings)) delete deployed[setting]; // .env alone says it
      await step(name, 'bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: directory, env: deployed });
    }
    return 0;
  } catch (error) {
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
