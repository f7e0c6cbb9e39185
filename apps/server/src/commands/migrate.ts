import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkModels } from '@rentapi/api/data/check-models';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { closePorts } from '@rentapi/api/ports';
import { migrateDown, migrateUp, migrationStatus } from '@rentapi/platform/migrations';
import { bootstrap, type Runtime } from '../bootstrap.ts';
import { isBuilt } from '../files.ts';
import { printLine } from '../print-line.ts';
import type { Command } from './index.ts';

const actions: Record<string, (opened: Runtime) => Promise<number>> = {
  async up({ migrationUrl, serving }) {
    const done = await migrateUp(migrationUrl, MIGRATIONS, { say: printLine, serving });
    printLine(done.length > 0 ? `${done.length} migrations done.` : 'The database is up to date.');
    return 0;
  },
  async down({ migrationUrl, serving }) {
    const undone = await migrateDown(migrationUrl, MIGRATIONS, { serving });
    printLine(undone ? `${undone} was undone.` : 'There is no migration to undo.');
    return 0;
  },
  async status({ migrationUrl }) {
    const { done, pending } = await migrationStatus(migrationUrl, MIGRATIONS);
    for (const name of done) process.stdout.write(`done     ${name}\n`);
    for (const name of pending) process.stdout.write(`pending  ${name}\n`);
    return pending.length > 0 ? 1 : 0;
  },
  async check({ ports }) {
    const differences = await checkModels(ports.database);
    for (const difference of differences) process.stdout.write(`${difference}\n`);
    printLine(differences.length > 0 ? 'Models and database differ.' : 'Models and database agree.');
    return differences.length > 0 ? 1 : 0;
  },
};

export function migrate([action = '', name = '']: string[]): Command {
  return async (env) => {
    if (isBuilt && ['new', 'check'].includes(action)) {
      printLine(`\`migrate ${action}\` works on the sources: call it in a checkout of the repository.`);
      return 2;
    }
    if (action === 'new') return addMigration(name);
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!act) {
      printLine('Usage: rentapi migrate up | down | status | new <name> | check');
      return 2;
    }
    // The tables of a running server must not be changed.
    const opened = await bootstrap(env(), printLine, { attach: action === 'status' || action === 'check' });
    try {
      return await act(opened);
    } finally {
      await closePorts(opened.ports);
      await opened.embedded?.stop();
    }
  };
}

async function addMigration(name: string): Promise<number> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    printLine('Usage: rentapi migrate new <name>, of lowercase letters, digits and underscores.');
    return 2;
  }
  const last =
    readdirSync(MIGRATIONS)
      .filter((file) => /^\d{4}_/.test(file))
      .sort()
      .at(-1) ?? '0000';
  const file = path.join(MIGRATIONS, `${String(Number(last.slice(0, 4)) + 1).padStart(4, '0')}_${name}.ts`);
  writeFileSync(file, TEMPLATE, { flag: 'wx' });
  process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
  return 0;
}

const TEMPLATE = `import type { Knex } from '@rentapi/platform/database';

export async function up(db: Knex): Promise<void> {
  await db.raw(\`
  \`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(\`
  \`);
}
`;
