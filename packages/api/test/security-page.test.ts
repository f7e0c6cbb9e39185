import { readdirSync, readFileSync } from 'node:fs';
import { jobs } from '@rentapi/api/slices/registry';
import { readEnv, SECRET_SETTINGS, SETTING_NAMES } from '@rentapi/platform/env';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.ts';

const ROOT = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');
const page = read('docs/security.md');
const sections = new Map(page.split(/^## /m).map((text) => [text.slice(0, text.indexOf('\n')), text]));
const section = (title: string) => sections.get(title) ?? '';
const inBackticks = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
/** The cells of each row of a table, without its heading. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    )
    .filter((cells, at) => at > 0 && !/^-+$/.test(cells[0]!));

const UNITS = { day: 86_400_000, hour: 3_600_000 };
function inWords(ms: number): string {
  const [unit, size] = Object.entries(UNITS).find(([, each]) => ms % each === 0)!;
  return `${ms / size} ${unit}${ms === size ? '' : 's'}`;
}

/** The files of the sources, without tests. */
const sources = ['packages/api/src', 'packages/platform/src', 'apps/server/src'].flatMap((directory) =>
  readdirSync(new URL(directory, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => ({ name: `${directory}/${name}`, text: read(`${directory}/${name}`) })),
);
/** The value of a constant such as `30 * 86_400_000`. */
function constant(file: string, name: string): number {
  const found = new RegExp(`const ${name} = ([\\d_* ]+);`).exec(read(file));
  if (!found) throw new Error(`${file} has no constant ${name}`);
  return found[1]!.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}

describe('docs/security.md', () => {
  it('names every secret setting in its table of keys, and no other setting (V11.1.1, V13.1.1)', () => {
    const named = rowsOf(section('Keys and secrets')).flatMap(([first]) => inBackticks(first!));
    expect(named.filter((name) => !name.startsWith('rentapi/')).toSorted()).toEqual([...SECRET_SETTINGS].toSorted());
  });

  it('names every key that is derived, and no other (V11.1.2)', () => {
    const derived = sources.flatMap(({ text }) =>
      [...text.matchAll(/(?<=['`])rentapi\/[a-z/]+(?=[^\n]*[)\]])/g)].flat(),
    );
    const named = inBackticks(section('Keys and secrets')).filter((name) => name.startsWith('rentapi/'));
    const plain = (names: string[]) => [...new Set(names.map((name) => name.replace(/<.+>$/, '')))].toSorted();
    expect(plain(named)).toEqual(plain(derived));
  });

  it('names every setting that leads to another machine (V13.1.1)', () => {
    const named = inBackticks(section('Connections'));
    const addresses = SETTING_NAMES.filter((name) => ADDRESS.test(name) && !NO_ADDRESS.includes(name));
    expect(addresses.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('names no setting that does not exist, and each with its default', () => {
    const defaults = new Map(Object.entries(readEnv({})));
    const known = [...SETTING_NAMES, ...SECRET_SETTINGS.map((name) => `${name}_FILE`)];
    for (const [, name, value] of page.matchAll(/`([A-Z]{2,}(?:_[A-Z]+)*)(?:=[^`]*)?`(?: \((\w+)\))?/g)) {
      expect(known).toContain(name);
      if (value) expect(readEnv({ [name!]: value })[name as 'PORT'], name).toEqual(defaults.get(name!));
    }
  });

  it.each([
    ['at most 3 hashes at once and 200 waiting', 'slices/auth/passwords.ts', 'MAX_WAITING', 200],
    ['at most 2 such queries at once', 'pipeline/origins.ts', 'AT_ONCE', 2],
    ['100 for each page', 'contract/pagination.ts', 'MAX_PAGE', 100],
    ['20 calls in one', 'contract/request-caps.ts', 'MAX_BATCH', 20],
    ['20 subscriptions for each connection', 'slices/realtime/schemas.ts', 'MAX_SUBSCRIPTIONS', 20],
    ['and 30 s more have passed', 'slices/auth/service/refresh.ts', 'CLOCK_SKEW_MS', 30_000],
    ['can be restored for 30 days', 'slices/organizations/model.ts', 'RESTORE_WINDOW_MS', 30 * UNITS.day],
    ['until 30 days after the account was deleted', 'slices/accounts/model.ts', 'RESTORE_ACCOUNT_MS', 30 * UNITS.day],
    ['the newest 500', '../../platform/src/mail.ts', 'MAX_KEPT', 500],
  ])('says "%s" because %s has %s (V15.1.3)', (sentence, file, name, value) => {
    expect(page).toContain(sentence);
    expect(constant(`packages/api/src/${file}`, name)).toBe(value);
  });

  it('knows every constant that says how long something is kept', () => {
    const found = sources.flatMap(({ text }) => [
      ...text.matchAll(/const (\w*(?:KEPT|RETAIN|RETENTION|RESTORE)\w*) =/g),
    ]);
    expect(found.map(([, name]) => name).toSorted()).toEqual(['MAX_KEPT', 'RESTORE_ACCOUNT_MS', 'RESTORE_WINDOW_MS']);
  });

  const stored = rowsOf(section('What is stored')).flatMap(([tables, ...cells]) =>
    inBackticks(tables!).map((table) => ({ table, columns: inBackticks(cells.slice(0, 3).join()), kept: cells[3]! })),
  );

  it('states how long the rows of each purged table are kept, and claims no other (V14.1.1, V14.2.4)', () => {
    const purged = jobs.flatMap(({ purges = [] }) => purges);
    const expected = purged.map(({ table, column, keptMs }) => ({
      table,
      kept: `${keptMs === 0 ? 'until' : `${inWords(keptMs)} after`} \`${column}\``,
    }));
    const claimed = stored.flatMap(({ table, kept }) => {
      const sentence = /^(until|\d+ \w+ after) `\w+`/.exec(kept);
      return sentence ? [{ table, kept: sentence[0] }] : [];
    });
    const byTable = (a: { table: string }, b: { table: string }) => a.table.localeCompare(b.table);
    expect(claimed.toSorted(byTable)).toEqual(expected.toSorted(byTable));
    expect(stored.filter(({ kept }) => kept === '')).toEqual([]);
  });

  describe('with the running product', () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startApp();
    });
    afterAll(() => app.close());

    it('has every table in a class, and every column that could be secret or personal (V14.1.1, V14.1.2)', async () => {
      const { rows } = await app.rows.raw<{ rows: { table: string; column: string; type: string }[] }>(
        `select table_name as "table", column_name as "column", data_type as type
         from information_schema.columns where table_schema = 'public' and not exists (
           select from pg_class where relname = table_name and relispartition)`,
      );
      const tables = [...new Set(rows.map(({ table }) => table))];
      expect(stored.map(({ table }) => table).toSorted()).toEqual(tables.toSorted());
      const named = stored.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`));
      const existing = rows.map(({ table, column }) => `${table}.${column}`);
      expect(named.filter((name) => !existing.includes(name))).toEqual([]);
      const telling = rows.filter(
        ({ table, column, type }) =>
          !OPERATIONAL.includes(`${table}.${column}`) &&
          (/^(bytea|jsonb)$/.test(type) || /email|name|^ip|user_agent|hash|sealed|secret|token|salt/.test(column)),
      );
      expect(telling.map(({ table, column }) => `${table}.${column}`).filter((name) => !named.includes(name))).toEqual(
        [],
      );
    });
  });
});

const ADDRESS = /(_URL|_DSN|_ENDPOINT|PORT|(^|POSTGRES_)HOST)$/;
/** Settings whose name looks like an address, or that belong to one that is named. */
const NO_ADDRESS = ['REALTIME_TOKEN_IN_URL', 'POSTGRES_PORT'];

/** Columns whose name or type looks like more than it is: names of jobs and secrets, hashes of hashes, limits. */
const OPERATIONAL = [
  'agenda_jobs.log',
  'agenda_jobs.name',
  'agenda_jobs.skip_days',
  'api_keys.limit_override',
  'audit_chains.hash',
  'audit_logs.chain_hash',
  'day_partitioned_tables.name',
  'dead_jobs.log',
  'dead_jobs.name',
  'deployment_secrets.name',
  'done_jobs.log',
  'done_jobs.name',
  'idempotency_keys.token',
  'job_schedules.name',
  'job_workers.concurrency',
  'knex_migrations.name',
  'organizations.limit_override',
  'plans.name',
  'plans.terms',
  'usage_hours.latency',
  'usage_hours.name',
  'usage_spans.latency',
  'usage_spans.name',
  'users.email_verified_at',
];
