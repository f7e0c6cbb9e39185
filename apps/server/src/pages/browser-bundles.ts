import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ASSETS, isBuilt } from '../files.ts';

/** The prebuilt browser bundles of the two references, where each lies beside its package's main file. */
const packages = {
  scalar: { package: '@scalar/api-reference', file: '../dist/browser/standalone.js' },
  redoc: { package: 'redoc', file: '../bundles/redoc.standalone.js' },
};

export type BundleName = keyof typeof packages;
export const BUNDLE_NAMES = Object.keys(packages) as BundleName[];

/** Redoc's one request to another host: its maker's logo. Redoc leaves the picture out when it does not load. */
const redocLogo = 'https://cdn.redoc.ly/redoc/logo-mini.svg';

/** The one colour of Redoc that no option and no name of a class reaches: dark pages need another. */
const redocPattern = 'color: #0e7c86;';

export interface BrowserBundle {
  /** `<name>-<version>.js` */
  fileName: string;
  read(): Promise<Buffer>;
}

/** The build has copied them, so that it runs without the packages. */
export function locateBundle(name: BundleName): BrowserBundle {
  return isBuilt ? inBuild(name) : inPackage(name);
}

function inBuild(name: BundleName): BrowserBundle {
  const fileName = readdirSync(ASSETS).find((file) => file.startsWith(`${name}-`));
  if (!fileName) throw new Error(`This build is not complete: ${name} is missing in ${ASSETS.pathname}.`);
  return { fileName, read: () => readFile(new URL(fileName, ASSETS)) };
}

function inPackage(name: BundleName): BrowserBundle {
  const main = join(createRequire(import.meta.url).resolve(packages[name].package), '..');
  const { version } = JSON.parse(readFileSync(join(main, '../package.json'), 'utf8')) as { version: string };
  return {
    fileName: `${name}-${version}.js`,
    async read() {
      const text = await readFile(join(main, packages[name].file), 'utf8');
      const served = text.replace(redocLogo, 'data:,').replace(redocPattern, 'color: var(--good);');
      return Buffer.from(served.replace(/\/\/# sourceMappingURL=\S+\s*$/, '')); // the source maps are not served
    },
  };
}
