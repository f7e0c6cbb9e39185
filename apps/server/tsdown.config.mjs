import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import license from 'rollup-plugin-license';
import { defineConfig } from 'tsdown';
import manifest from './package.json' with { type: 'json' };
import { ASSETS, ASYNCAPI_FILE, DOCUMENTS_ROOT, OPENAPI_FILE } from './src/files.ts';
import { BUNDLE_NAMES, locateBundle } from './src/pages/browser-bundles.ts';
import { DOCUMENTS } from './src/pages/docs/guide-files.ts';

/**
 * Native code cannot be part of a JavaScript file. `bcrypt` brings binaries for every platform, `sharp` for that of the
 * build.
 */
const NATIVE = [
  { name: 'bcrypt', of: '../../packages/api' },
  { name: 'sharp', of: '../../packages/platform' },
];
/** The fonts of documents, where the program looks for them: as files of their package. */
const FONTS = {
  name: 'dejavu-fonts-ttf',
  of: '../../packages/api',
  files: ['package.json', 'LICENSE', 'ttf/DejaVuSans.ttf', 'ttf/DejaVuSans-Bold.ttf'],
};
/** Only for compiling. */
const HEADERS = 'node-addon-api';
/** Databases that Knex could use besides: each is required only where it is chosen. */
const OTHER_DATABASES = ['mysql', 'mysql2', 'mariadb/callback', 'better-sqlite3', 'sqlite3', 'tedious', 'oracledb'];
/** For developers' checkouts; a build never loads them. */
const FAKES = /^@rentapi\/fake-payments\//;

/** `npm run build`: one directory that Node 22.21, or 24.9 and newer, runs as it is, without installing anything. */
export default defineConfig(({ outDir = '../../dist' }) => ({
  entry: { rentapi: 'src/main.ts', 'migrations/*': '../../packages/api/src/data/migrations/*.ts' },
  outDir,
  format: 'esm',
  platform: 'node',
  target: 'node22.21',
  dts: false,
  report: false,
  checks: { bundlerTimings: false },
  deps: {
    alwaysBundle: [/.*/],
    neverBundle: [...NATIVE.map(({ name }) => name), ...OTHER_DATABASES, FAKES],
    onlyBundle: false,
  },
  outputOptions: { keepNames: true }, // the names of error classes are logged
  plugins: [license({ thirdParty: { output: path.resolve(outDir, 'THIRD-PARTY-LICENSES.txt') } })],
  hooks: { 'build:done': () => addFiles(outDir) },
}));

/** What the program reads at run time, and what describes it. */
async function addFiles(outDir) {
  const assets = path.join(outDir, 'assets');
  cpSync(ASSETS, assets, { recursive: true });
  for (const { fileName, read } of BUNDLE_NAMES.map(locateBundle)) {
    writeFileSync(path.join(assets, fileName), await read());
  }
  cpSync(OPENAPI_FILE, path.join(outDir, 'openapi.json'));
  cpSync(ASYNCAPI_FILE, path.join(outDir, 'asyncapi.json'));
  for (const name of DOCUMENTS)
    cpSync(new URL(name, DOCUMENTS_ROOT), path.join(outDir, 'documents', name), { recursive: true });
  cpSync('../../LICENSE', path.join(outDir, 'LICENSE'));
  copyNativePackages(path.join(outDir, 'node_modules'));
  copyFonts(path.join(outDir, 'node_modules'));
  const { name, version, license } = manifest;
  const bin = { rentapi: './rentapi.mjs' };
  const described = {
    name,
    version,
    license,
    private: true,
    type: 'module',
    bin,
    engines: { node: '^22.21.0 || >=24.9.0' },
  };
  writeFileSync(path.join(outDir, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
}

function copyFonts(to) {
  const from = realpathSync(path.join(FONTS.of, 'node_modules', FONTS.name));
  for (const file of FONTS.files) cpSync(path.join(from, file), path.join(to, FONTS.name, file));
}

/** With what each loads: it lies beside the package, where it is installed for this platform. */
function copyNativePackages(to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const { name, of } of NATIVE) {
    const native = realpathSync(path.join(of, 'node_modules', name));
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(path.join(native, 'package.json'), 'utf8'));
    for (const each of [name, ...Object.keys({ ...dependencies, ...optionalDependencies })]) {
      if (each === HEADERS) continue;
      const from = path.join(native, '..', each);
      if (existsSync(from))
        cpSync(realpathSync(from), path.join(to, each), { recursive: true, filter: (file) => !file.endsWith('.ts') });
    }
  }
}
