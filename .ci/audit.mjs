// Fails where a dependency has an advisory that is older than SECURITY.md allows (V15.1.1, V15.2.1). Ends with 75 where
// the registry does not say.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** As SECURITY.md says. */
const MAX_DAYS = { critical: 7, high: 30, moderate: 90, low: 90, info: 90 };
const NOT_ANSWERED = 75;
const DAY_MS = 86_400_000;
const TIMEOUT_MS = 10_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const advisoryApi = process.env.ADVISORY_API ?? 'https://api.github.com/advisories';

/** npm's advisories carry no date; GitHub, where they come from, has it. Undefined where GitHub does not answer. */
async function publishedAt(id) {
  const response = await fetch(`${advisoryApi}/${id}`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    () => undefined,
  );
  return response?.ok ? (await response.json()).published_at : undefined;
}

function readAdvisories() {
  const command = [
    fileURLToPath(new URL('../tools/run.mjs', import.meta.url)),
    'pnpm',
    'audit',
    '--json',
    ...process.argv.slice(2),
  ];
  const { stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  try {
    return Object.values(JSON.parse(stdout).advisories);
  } catch {
    process.stdout.write(
      `The registry does not answer with advisories: ${(stdout + stderr).replace(/\s+/g, ' ').slice(0, 300)}\n`,
    );
    return undefined;
  }
}

async function main() {
  const advisories = readAdvisories();
  if (!advisories) return NOT_ANSWERED;
  let overdue = 0;
  for (const { github_advisory_id: id, module_name: name, severity, title, url } of advisories) {
    const published = await publishedAt(id);
    const days = published === undefined ? Infinity : Math.floor((Date.now() - Date.parse(published)) / DAY_MS);
    const late = days > (MAX_DAYS[severity] ?? 0);
    if (late) overdue++;
    const age = days === Infinity ? 'of unknown age' : `${days} days old`;
    process.stdout.write(`${late ? 'OVERDUE' : 'known'}: ${name}: ${severity}, ${age}: ${title} (${url})\n`);
  }
  process.stdout.write(`${advisories.length} advisories, ${overdue} overdue.\n`);
  return overdue > 0 ? 1 : 0;
}

process.exitCode = await main();
