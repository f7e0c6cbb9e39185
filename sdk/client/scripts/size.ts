/**
 * Fails when a web page would have to load too much for one call, or when the package has grown by more than new
 * operations explain. Run after the build.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** With the groups that a page names, however many operations there are. */
const MAX_ONE_CALL_BYTES = 9_000;
/** With every group, each operation adds its name, its path and a method. */
const MAX_EVERY_GROUP_CORE_BYTES = 7_500;
const MAX_EVERY_GROUP_BYTES_PER_OPERATION = 30;
/** The guard of another service, without the client that it is given. */
const MAX_GUARD_BYTES = 2_500;
/** What is written by hand, without an operation. */
const MAX_CORE_PACKED_BYTES = 52_000;
/** Types with their descriptions, errors and example, in two declarations; two builds; a line of api.md. */
const MAX_PACKED_BYTES_PER_OPERATION = 1_250;

const sdk = fileURLToPath(new URL('..', import.meta.url));

/** A client and one call, as a bundler ships them to a web page. */
async function oneCallBytes(module: string, name: string, client: string): Promise<number> {
  return bundledBytes(module, name, `export const me = () => ${client}.users.me.get();`);
}

async function bundledBytes(module: string, name: string, program: string): Promise<number> {
  const folder = mkdtempSync(join(sdk, 'node_modules/size-'));
  const entry = join(folder, 'entry.js');
  const dist = JSON.stringify(join(sdk, 'dist', module));
  writeFileSync(entry, `import { ${name} } from ${dist};\n${program}\n`);
  try {
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      // What few calls need, such as realtime, is loaded by those.
      plugins: [{ name: 'leave-out-what-is-loaded-later', resolveDynamicImport: () => false }],
      build: {
        write: false,
        target: 'es2022',
        lib: { entry, formats: ['es'], fileName: 'bundle' },
        rolldownOptions: { output: { minify: true } },
      },
    });
    const [output] = [result].flat();
    if (!output || !('output' in output)) throw new Error('The bundler gave no output.');
    return gzipSync(output.output[0].code).length;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function packedBytes(): number {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: sdk,
    encoding: 'utf8',
  });
  const [report]: { size: number }[] = JSON.parse(packed);
  return report?.size ?? 0;
}

const operations = readFileSync(join(sdk, 'api.md'), 'utf8').match(/^\| `client\./gm)?.length ?? 0;
const limit = (coreBytes: number, bytesPerOperation: number) => coreBytes + operations * bytesPerOperation;
const measures = [
  [
    'one call with its group, bundled, min + gzip',
    await oneCallBytes('core.js', 'createClient, UsersResource', 'createClient({ users: UsersResource })'),
    MAX_ONE_CALL_BYTES,
  ],
  [
    `one call with every group, bundled, min + gzip, ${operations} operations`,
    await oneCallBytes('index.js', 'RentApi', 'new RentApi()'),
    limit(MAX_EVERY_GROUP_CORE_BYTES, MAX_EVERY_GROUP_BYTES_PER_OPERATION),
  ],
  [
    'a guard, bundled, min + gzip',
    await bundledBytes('guard.js', 'expressGuard', 'export const guard = (client) => expressGuard({ client });'),
    MAX_GUARD_BYTES,
  ],
  [
    `the package, packed, ${operations} operations`,
    packedBytes(),
    limit(MAX_CORE_PACKED_BYTES, MAX_PACKED_BYTES_PER_OPERATION),
  ],
] as const;
for (const name of readdirSync(join(sdk, 'dist')).sort()) {
  const file = readFileSync(join(sdk, 'dist', name));
  process.stdout.write(
    `${name.padEnd(24)} ${String(file.length).padStart(8)} B ${String(gzipSync(file).length).padStart(8)} B gzip\n`,
  );
}
for (const [what, bytes, maxBytes] of measures) process.stdout.write(`${what}: ${bytes} B, at most ${maxBytes}\n`);
if (operations === 0 || measures.some(([, bytes, maxBytes]) => bytes === 0 || bytes > maxBytes)) process.exit(1);
