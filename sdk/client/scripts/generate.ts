/**
 * docs/openapi.json → src/generated/ and api.md. `OPENAPI` names another document.
 * The types come from @hey-api/openapi-ts. The methods are written here, because those of hey-api bring a transport, a
 * global client made at import and four type parameters a method, and have no pages. A second run leaves no diff.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient } from '@hey-api/openapi-ts';
import { readDocument } from './generate/document.ts';
import { buildMethods } from './generate/model.ts';
import { printApi } from './generate/print-api.ts';
import { printCookies } from './generate/print-cookies.ts';
import { printEvents } from './generate/print-events.ts';
import { printClient, printResources } from './generate/print-resources.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const input = process.env.OPENAPI ?? here('../../../docs/openapi.json');
const generated = here('../src/generated');

await createClient({
  input,
  output: { path: generated, module: { extension: '.ts' }, entryFile: false },
  plugins: [{ name: '@hey-api/typescript', enums: false }],
  logs: { level: 'silent', file: false },
});
const typesFile = `${generated}/types.gen.ts`;
const types = readFileSync(typesFile, 'utf8')
  .replace(/export type ClientOptions = \{[^}]*\};\n\n/, '')
  // Headers are options of a call, not parameters.
  .replace(/ {4}headers\?: \{\n(?: {8}.*\n)+ {4}\};\n/g, '')
  // Events are printed as a map and a union.
  .replace(/^export type (?:Webhooks|Events\w+Webhook\w+) = (?:[^{\n]*|\{\n[\s\S]*?\n\});\n+/gm, '')
  // `'a' | string` is a string to the compiler, and an editor then completes nothing.
  .replace(/((?:'[^']*'|\b[A-Z]\w*)) \| string(?= \| null|[;>])/g, '$1 | (string & {})');
writeFileSync(typesFile, types);

// hey-api's own capitals (`Auth2FaEnable`) are looked up, not guessed.
const declared = new Map([...types.matchAll(/^export type (\w+)/gm)].map(([, name]) => [name!.toLowerCase(), name!]));
function declaredName(name: string): string {
  const found = declared.get(name.toLowerCase());
  if (!found) throw new Error(`The generated types have no ${name}.`);
  return found;
}

const document = readDocument(input);
const schemaNames = Object.keys(document.schemas).map(declaredName);
// `export type *` gives way without a word to an export that src/index.ts names.
const index = readFileSync(here('../src/index.ts'), 'utf8');
const hidden = schemaNames.find((name) => new RegExp(`\\b${name}\\b`).test(index));
if (hidden)
  throw new Error(`The document now has a component ${hidden}: use it in src/ and take ${hidden} out of src/index.ts.`);

const methods = buildMethods(document, declaredName);
const codesByStatus = new Map<string, Set<string>>();
for (const { operation } of document.entries)
  for (const [status, codes] of document.errorCodesOf(operation))
    codesByStatus.set(status, new Set([...(codesByStatus.get(status) ?? []), ...codes]));
const listed = new Set([...codesByStatus.values()].flatMap((codes) => [...codes]));
const otherCodes = document.knownCodes.filter((code) => !(typeof code === 'string' && listed.has(code)));
const events = printEvents(document.events, declaredName);
writeFileSync(
  `${generated}/resources.gen.ts`,
  printResources({ methods, schemaNames, codesByStatus: new Map([...codesByStatus].sort()), otherCodes, events }),
);
writeFileSync(`${generated}/api.gen.ts`, printClient(methods));
writeFileSync(`${generated}/cookies.gen.ts`, printCookies(methods));
writeFileSync(here('../api.md'), printApi(methods));
process.stdout.write(`@rentapi/sdk: ${methods.length} operations, ${schemaNames.length} schemas\n`);
