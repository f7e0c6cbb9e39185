import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/**
 * Whether the machine's own Node is new enough: it runs TypeScript, and has `shouldUpgradeCallback`. (npm puts
 * node_modules/.bin first in PATH, so we may run on the bundled one.)
 */
export function isHostNodeNewEnough(top) {
  const bundled = locateBundledNode(top);
  if (existsSync(bundled) && realpathSync(bundled) === realpathSync(process.execPath)) return false;
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 9) || (major === 22 && minor >= 21);
}

/** The host's Node where it is new enough, else the one from the package `node`. */
export function locateNode(top) {
  if (isHostNodeNewEnough(top)) return process.execPath;
  const bundled = locateBundledNode(top);
  return existsSync(bundled) ? bundled : undefined;
}

export function locateBundledNode(top) {
  return join(top, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/**
 * The JavaScript file behind a tool's name. Not node_modules/.bin: those are shell scripts, which find a Node of their
 * own.
 */
export function locateTool(top, name) {
  const { dependencies, devDependencies } = readJson(join(top, 'package.json'));
  for (const dependency of Object.keys({ ...dependencies, ...devDependencies })) {
    const directory = join(top, 'node_modules', dependency);
    const { bin } = readJson(join(directory, 'package.json'));
    const file = typeof bin === 'string' && dependency === name ? bin : bin?.[name];
    if (file) return join(directory, file);
  }
  return undefined;
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}
