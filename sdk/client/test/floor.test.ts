import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** README.md names these as the oldest that work. */
const FLOOR = { nodejs: 20, chrome: 93, firefox: 91, safari: 15, safari_ios: 15 };

/** Not everywhere at the floor, and used only where it exists. */
const OPTIONAL = new Set([
  'AbortSignal.reason',
  'Crypto.randomUUID',
  'Location.href',
  'Location.origin',
  'Location.protocol',
  'LockManager.request',
  'Navigator.locks',
  'location',
  'navigator',
]);
/** Shapes that TypeScript has a name for and the platform has not. */
const TYPE_ONLY = /^(ReadableStreamReadValueResult|ReadableStreamReadDoneResult|PropertyDescriptor)\./;

interface Feature {
  __compat?: { support: Record<string, Support | Support[]> };
  [name: string]: unknown;
}
interface Support {
  version_added: string | boolean | null;
  flags?: unknown[];
}

const require = createRequire(import.meta.url);
const data: { api: Record<string, Feature>; javascript: { builtins: Record<string, Feature> } } = JSON.parse(
  readFileSync(require.resolve('@mdn/browser-compat-data'), 'utf8'),
);

/** Each name of the platform that the sources use, as `URLSearchParams.append`, with the places that use it. */
function platformNames(rootNames: string[], options: ts.CompilerOptions): Map<string, string[]> {
  const program = ts.createProgram({ rootNames, options });
  const checker = program.getTypeChecker();
  const places = new Map<string, string[]>();
  for (const file of program.getSourceFiles()) {
    if (program.isSourceFileDefaultLibrary(file) || file.isDeclarationFile) continue;
    const add = (node: ts.Node, symbol: ts.Symbol | undefined, owner?: ts.Type) => {
      const declaration = symbol?.declarations?.[0];
      if (!symbol || !declaration || !program.isSourceFileDefaultLibrary(declaration.getSourceFile())) return;
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      const name = [ownerName(declaration, owner), symbol.name].filter(Boolean).join('.');
      places.set(name, [...(places.get(name) ?? []), `${file.fileName.split('/').at(-1)}:${line + 1}`]);
    };
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
      if (ts.isPropertyAccessExpression(node))
        add(node, checker.getSymbolAtLocation(node.name), checker.getTypeAtLocation(node.expression));
      else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
        const type = checker.getTypeAtLocation(node.parent);
        add(node, type.getProperty((node.propertyName ?? node.name).getText()), type);
      } else if (ts.isIdentifier(node) && ts.isExpression(node)) {
        const isName = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
        if (!isName) add(node, checker.getSymbolAtLocation(node));
      } else if (ts.isClassStaticBlockDeclaration(node)) throw new Error('Safari 15 has no static blocks.');
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return places;
}

/** `URL` for what `new URL()` has, `URL` and a static name for what `URL` itself has, `Array` for a readonly one. */
function ownerName(declaration: ts.Declaration, owner: ts.Type | undefined): string | undefined {
  const { parent } = declaration;
  if (ts.isTypeLiteralNode(parent) && ts.isVariableDeclaration(parent.parent))
    return `static ${parent.parent.name.getText()}`;
  if (!ts.isInterfaceDeclaration(parent)) return undefined;
  const declared = parent.name.text;
  if (declared.endsWith('Constructor')) return `static ${declared.slice(0, -'Constructor'.length)}`;
  // A mixin such as `Body` is known under the name of the interface that includes it.
  const used = owner && (owner.isUnion() ? undefined : owner.symbol?.name);
  return used && used in data.api ? used : declared.replace(/^(Readonly|Async|Promise)(?=Array|Map|Set)/, '');
}

function compatibility(name: string): Record<string, Support | Support[]> | undefined {
  const [owner, member] = name.replace('static ', '').split('.') as [string, string?];
  const { api } = data;
  const { builtins } = data.javascript;
  // The guarantee: what is looked up by a name in this data is a feature, or is missing.
  const at = (group: Record<string, unknown> | undefined, key: string) => group?.[key] as Feature | undefined;
  const found =
    member === undefined
      ? (at(api, owner) ?? at(builtins, owner) ?? at(api.Window, owner))
      : (at(api[owner], name.startsWith('static') ? `${member}_static` : member) ??
        at(builtins[owner], member) ??
        at(api.EventTarget, member) ??
        at(/^(Big)?(Ui|I|Fl)\w+Array$/.test(owner) ? builtins.TypedArray : undefined, member));
  return found?.__compat?.support;
}

function newerThanFloor(names: Map<string, string[]>): string[] {
  return [...names]
    .filter(([name]) => !OPTIONAL.has(name) && !TYPE_ONLY.test(name))
    .flatMap(([name, places]) => {
      const support = compatibility(name);
      if (!support) return [`${name} (${places[0]}): unknown`];
      const missing = Object.entries(FLOOR).filter(([runtime, floor]) => {
        const [newest] = [support[runtime] ?? []].flat();
        const added = newest?.flags ? false : newest?.version_added;
        return !(typeof added === 'string' && Number.parseFloat(added.replace('≤', '')) <= floor);
      });
      return missing.length > 0 ? [`${name} (${places[0]}): ${missing.map(([runtime]) => runtime).join(', ')}`] : [];
    });
}

const NEWER = `
declare const signal: AbortSignal;
const { hash, searchParams } = new URL('https://api.example.com');
export const used = [
  hash, searchParams.size, URL.canParse(''), [1].at(0), structuredClone(1), signal.throwIfAborted(),
  AbortSignal.any([]), AbortSignal.timeout(1), Object.groupBy([1], String), Array.fromAsync([1]), Object.hasOwn({}, 'a'),
];
`;

describe('the SDK', () => {
  it('uses nothing that the oldest runtimes of its README lack', () => {
    const here = fileURLToPath(new URL('..', import.meta.url));
    const { config } = ts.readConfigFile(join(here, 'tsconfig.json'), ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, here);
    const names = platformNames(fileNames, options);
    expect(names.size).toBeGreaterThan(80);
    expect(newerThanFloor(names)).toEqual([]);
    const stated = `Node ${FLOOR.nodejs}, Chrome ${FLOOR.chrome}, Firefox ${FLOOR.firefox} and Safari ${FLOOR.safari}`;
    expect(readFileSync(join(here, 'README.md'), 'utf8').replace(/\s+/g, ' ')).toContain(stated);
  });

  it('is checked by a test that sees what is newer', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rentapi-floor-'));
    const file = join(folder, 'newer.ts');
    writeFileSync(file, NEWER);
    const lib = ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'];
    const names = platformNames([file], { target: ts.ScriptTarget.ESNext, lib, types: [] });
    rmSync(folder, { recursive: true });
    expect(newerThanFloor(names).map((line) => line.split(' (')[0])).toEqual([
      'URLSearchParams.size',
      'static URL.canParse',
      'Array.at',
      'structuredClone',
      'AbortSignal.throwIfAborted',
      'static AbortSignal.any',
      'static AbortSignal.timeout',
      'static Object.groupBy',
      'static Array.fromAsync',
      'static Object.hasOwn',
    ]);
  });
});
