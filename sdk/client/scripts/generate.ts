/**
 * docs/openapi.json → src/generated/ and api.md. `OPENAPI` names another document.
 * The types come from @hey-api/openapi-ts; the methods are written here, because its own SDK carries a transport, a global
 * client made at import and four type parameters a method, and knows nothing of pages. The same document gives the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient } from '@hey-api/openapi-ts';

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  format?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
type Content = Record<string, { schema?: Schema }>;
interface Parameter {
  $ref?: string;
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
}
interface OperationObject {
  operationId?: string;
  summary?: string;
  description?: string;
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
  security?: Record<string, string[]>[];
}
interface Document {
  paths: Record<string, Record<string, OperationObject>>;
  components: { schemas: Record<string, Schema>; parameters?: Record<string, Parameter> };
  security?: Record<string, string[]>[];
}
interface Method {
  id: string;
  name: string;
  typeName: string;
  http: string;
  path: string;
  docs: string[];
  operation: Record<string, unknown>;
  paramsType: string;
  paramsRequired: boolean;
  answer: string;
  answerLabel: string;
  paged: boolean;
  /** The answer is one JSON value a line. */
  lines: boolean;
}
interface Group {
  methods: Method[];
  groups: Map<string, Group>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
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
const withoutTransport = readFileSync(typesFile, 'utf8')
  .replace(/export type ClientOptions = \{[^}]*\};\n\n/, '')
  // Headers are options of a call, not parameters.
  .replace(/ {4}headers\?: \{\n(?: {8}.*\n)+ {4}\};\n/g, '');
writeFileSync(typesFile, withoutTransport);
const declared = new Set(
  [...readFileSync(typesFile, 'utf8').matchAll(/^export type (\w+)/gm)].map((match) => match[1]!),
);
// hey-api's own capitals (`Auth2FaEnable`) are looked up, not guessed.
const declaredBySpelling = new Map([...declared].map((name) => [name.toLowerCase(), name]));

// The guarantee: hey-api has just read the same file as an OpenAPI document.
const document = JSON.parse(readFileSync(input, 'utf8')) as Document;
const entries = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.flatMap((http) => (item[http] ? [{ path, http, operation: item[http] }] : [])),
);
// Where the document names the header, only there; before it does, on every change by someone signed in.
const namesIdempotencyKey = entries.some(({ operation }) => parameters(operation).some(isIdempotencyKey));
const methods = entries
  .filter(({ operation }) => operation.responses['101'] === undefined)
  .map(describe)
  .sort((a, b) => (a.id < b.id ? -1 : 1));
const root: Group = { methods: [], groups: new Map() };
for (const method of methods) place(method);
writeFileSync(`${generated}/resources.gen.ts`, resourcesFile());
writeFileSync(here('../api.md'), apiFile());
process.stdout.write(
  `@rentapi/sdk: ${methods.length} operations, ${Object.keys(document.components.schemas).length} schemas\n`,
);

function describe({ path, http, operation }: { path: string; http: string; operation: OperationObject }): Method {
  const id = operation.operationId;
  if (!id || !/^\w+(\.\w+)+$/.test(id))
    throw new Error(`${http} ${path}: the operationId must be a procedure's path, e.g. apiKeys.create; it is ${id}.`);
  const all = parameters(operation);
  const typeName = declaredName(`${id.replaceAll('.', '')}Data`).replace(/Data$/, '');
  const content = operation.requestBody?.content ?? {};
  const contentType = Object.keys(content).find((type) => type.includes('json')) ?? Object.keys(content)[0];
  const body =
    contentType === undefined
      ? undefined
      : contentType.includes('json')
        ? 'json'
        : contentType.startsWith('multipart/')
          ? 'form'
          : 'raw';
  const bodySchema = resolve(contentType === undefined ? undefined : content[contentType]?.schema);
  const pathNames = all.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const queryNames = all.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const names = [...pathNames, ...queryNames, ...Object.keys(bodySchema?.properties ?? {})];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`${id}: the parameter ${twice} is named in two places; give them different names.`);
  const isPublic = (operation.security ?? document.security ?? []).every((choice) => Object.keys(choice).length === 0);
  const keyed = namesIdempotencyKey ? all.some(isIdempotencyKey) : http !== 'get' && !isPublic;
  const success = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1];
  const answerType =
    Object.keys(success?.content ?? {}).find((type) => type.includes('json')) ?? Object.keys(success?.content ?? {})[0];
  const answerSchema = answerType === undefined ? undefined : success?.content?.[answerType]?.schema;
  const lines = answerType === 'application/x-ndjson';
  const stream = answerType === 'text/event-stream';
  const page = resolve(answerSchema)?.properties;
  const paged = page?.items?.items !== undefined && page.nextCursor !== undefined && queryNames.includes('cursor');
  const answer = stream
    ? 'Response'
    : answerType === undefined
      ? 'void'
      : `Types.${declaredName(`${typeName}Response`)}`;
  return {
    id,
    name: id.slice(id.lastIndexOf('.') + 1),
    typeName,
    http: http.toUpperCase(),
    path,
    docs: [operation.summary, operation.description, operation.deprecated ? '@deprecated' : undefined].filter(
      (line) => line !== undefined,
    ),
    operation: {
      id,
      method: http.toUpperCase(),
      path,
      ...(isPublic && { public: true }),
      ...(keyed && { keyed }),
      ...(body && { body }),
      ...(body && queryNames.length > 0 && { query: queryNames }),
      ...(body === 'raw' && { contentType }),
      ...((stream || lines) && { stream: true }),
    },
    paramsType: body === 'raw' ? 'RawParams' : names.length > 0 || body ? 'Params' : 'NoParams',
    paramsRequired:
      all.some((parameter) => parameter.in === 'path' || (parameter.in === 'query' && parameter.required)) ||
      body === 'raw' ||
      needsSomething(bodySchema, operation.requestBody?.required ?? false),
    answer,
    answerLabel: paged
      ? `PagePromise<${label(page?.items?.items)}>`
      : lines
        ? `AsyncGenerator<${label(answerSchema)}>`
        : answer === 'void' || stream
          ? answer
          : label(answerSchema, answer.slice('Types.'.length)),
    paged,
    lines,
  };
}

function parameters(operation: OperationObject): Parameter[] {
  return (operation.parameters ?? []).map(
    (parameter) =>
      (parameter.$ref ? document.components.parameters?.[parameter.$ref.split('/').at(-1)!] : undefined) ?? parameter,
  );
}

function isIdempotencyKey(parameter: Parameter): boolean {
  return parameter.in === 'header' && parameter.name.toLowerCase() === 'idempotency-key';
}

function resolve(schema: Schema | undefined): Schema | undefined {
  return schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)!] : schema;
}

function needsSomething(schema: Schema | undefined, required: boolean): boolean {
  if (!schema) return false;
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return required && union.every((choice) => needsSomething(resolve(choice), true));
  return (
    (schema.required ?? []).length > 0 || (schema.allOf ?? []).some((part) => needsSomething(resolve(part), required))
  );
}

function declaredName(name: string): string {
  const found = declaredBySpelling.get(name.toLowerCase());
  if (!found) throw new Error(`The generated types have no ${name}.`);
  return found;
}

function label(schema: Schema | undefined, otherwise = 'object'): string {
  return schema?.$ref?.split('/').at(-1) ?? otherwise;
}

function place(method: Method): void {
  let group = root;
  for (const name of method.id.split('.').slice(0, -1)) {
    if (group.methods.some((other) => other.name === name))
      throw new Error(`${method.id}: ${name} is an operation already, so it cannot hold others.`);
    const next = group.groups.get(name) ?? { methods: [], groups: new Map() };
    group.groups.set(name, next);
    group = next;
  }
  if (group.groups.has(method.name)) throw new Error(`${method.id} holds other operations, so it cannot be one.`);
  group.methods.push(method);
}

function resourcesFile(): string {
  const classes: string[] = [];
  const write = (name: string, className: string, group: Group): string => {
    const children = [...group.groups].map(([child, childGroup]) => ({
      child,
      className: write(child, `${className}${capital(child)}`, childGroup),
    }));
    // Suffixed, so that `client.usage` and a schema `Usage` do not meet.
    const own = className ? `${className}Resource` : 'Api';
    const fields = children.map(({ child, className }) => `  readonly ${child}: ${className};`);
    const assigned = children.map(({ child, className }) => `    this.${child} = new ${className}(transport);`);
    const construction =
      children.length > 0
        ? [
            `${fields.join('\n')}\n\n  constructor(transport: Transport) {\n    super(transport);\n${assigned.join('\n')}\n  }`,
          ]
        : [];
    classes.push(
      `${name ? `/** \`client.${group === root ? '' : pathOf(group)}\` */\n` : ''}export class ${own} extends Resource {\n${[...construction, ...group.methods.map(methodText)].join('\n\n')}\n}`,
    );
    return own;
  };
  write('', '', root);
  const params = methods.map(
    (method) =>
      `export type ${method.typeName}Params = ${method.paramsType === 'NoParams' ? 'NoParams' : `${method.paramsType}<Types.${method.typeName}Data>`};`,
  );
  const helpers = ['NoParams', 'Params', 'RawParams'].filter((name) =>
    methods.some((method) => method.paramsType === name),
  );
  const exported = [
    ...new Set([
      ...Object.keys(document.components.schemas).map((name) => declaredName(name)),
      ...methods.flatMap(({ answer }) => (answer.startsWith('Types.') ? [answer.slice('Types.'.length)] : [])),
    ]),
  ].sort();
  const codes =
    resolve(document.components.schemas.Problem?.properties?.code)?.enum?.map((code) => JSON.stringify(code)) ?? [];
  return `// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import type { ApiPromise${methods.some(({ paged }) => paged) ? ', PagePromise' : ''} } from '../api-promise.ts';
import type { ${helpers.join(', ')} } from '../params.ts';
import { type RequestOptions, Resource, type Transport } from '../transport.ts';
import type * as Types from './types.gen.ts';

export type {
${exported.map((name) => `  ${name},`).join('\n')}
} from './types.gen.ts';

/** The codes that this version of the server answers. */
export type KnownErrorCode =${codes.length > 0 ? codes.map((code) => `\n  | ${code}`).join('') : ' never'};

${params.join('\n')}

${classes.join('\n\n')}
`;
}

function pathOf(group: Group): string {
  const first = (function find(inside: Group): Method {
    return inside.methods[0] ?? find([...inside.groups.values()][0]!);
  })(group);
  const depth = group.methods[0] ? 1 : 2;
  return first.id.split('.').slice(0, -depth).join('.');
}

function methodText(method: Method): string {
  const docs = [...method.docs, `\`${method.http} ${method.path}\``]
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replaceAll('*/', '*\\/').trimEnd());
  const [wrapper, sender] = method.paged
    ? ['PagePromise', 'list']
    : method.lines
      ? ['AsyncGenerator', 'lines']
      : ['ApiPromise', 'call'];
  return `  /**\n${docs.map((line) => `   * ${line}`.trimEnd()).join('\n')}\n   */
  ${method.name}(params${method.paramsRequired ? '' : '?'}: ${method.typeName}Params, options?: RequestOptions): ${wrapper}<${method.answer}> {
    return this.transport.${sender}(${JSON.stringify(method.operation)}, params, options);
  }`;
}

function apiFile(): string {
  const sections = new Map<string, Method[]>();
  for (const method of methods) {
    const group = method.id.slice(0, method.id.lastIndexOf('.'));
    sections.set(group, [...(sections.get(group) ?? []), method]);
  }
  const text = [...sections].map(([group, list]) => {
    const lines = list.map((method) => {
      const call = `client.${method.id}(${method.paramsType === 'NoParams' ? '' : method.paramsRequired ? '{ … }' : '{ …? }'})`;
      return `- \`${call}\` → \`${method.answerLabel}\`${method.docs[0] ? ` — ${method.docs[0]}` : ''} (\`${method.http} ${method.path}\`)`;
    });
    return `## ${group}\n\n${lines.join('\n')}\n`;
  });
  return `# Every method\n\nWritten from the OpenAPI document by \`pnpm generate\`; do not edit. The parameters of \`client.apiKeys.create\` are the type\n\`ApiKeysCreateParams\`. All calls take options as second argument (\`RequestOptions\`).\n\n${text.join('\n')}`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
