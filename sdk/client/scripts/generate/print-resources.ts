import { type Group, groupMethods, type Method } from './model.ts';

interface Model {
  methods: readonly Method[];
  /** Components of the document, as the generated types spell them. */
  schemaNames: readonly string[];
  /** Codes of all operations by status, as `errorCodesOf` gives them. */
  codesByStatus: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those that no operation names. */
  otherCodes: readonly unknown[];
  /** Types of what happens. */
  events: string;
}

/** src/generated/resources.gen.ts: the classes behind `client.apiKeys` and the names of its types. */
export function printResources({ methods, schemaNames, codesByStatus, otherCodes, events }: Model): string {
  const classes: string[] = [];
  for (const group of groupMethods(methods).groups.values()) printClass(group, classes);
  const params = methods.map(
    (method) =>
      `export type ${method.typeName}Params = ${method.paramsType === 'NoParams' ? 'NoParams' : `${method.paramsType}<Types.${method.typeName}Data>`};`,
  );
  const helpers = ['NoParams', 'Params', 'RawParams'].filter((name) =>
    methods.some((method) => method.paramsType === name),
  );
  const exported = [
    ...new Set([
      ...schemaNames,
      ...methods.flatMap(({ answer }) => (answer.startsWith('Types.') ? [answer.slice('Types.'.length)] : [])),
    ]),
  ].sort();
  const union = (codes: Iterable<unknown>) =>
    [...codes].map((code) => `\n    | ${JSON.stringify(code)}`).join('') || ' never';
  return `// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import type { ApiPromise${methods.some(({ paged }) => paged) ? ', PagePromise' : ''} } from '../api-promise.ts';
import type { RequestOptions } from '../operation.ts';
import type { ${helpers.join(', ')} } from '../params.ts';
import { Resource } from '../resource.ts';
import type { Transport } from '../transport.ts';
import type * as Types from './types.gen.ts';

export type {
${exported.map((name) => `  ${name},`).join('\n')}
} from './types.gen.ts';

/** The codes that this version of the server answers, by status. */
export interface CodesByStatus {
${[...codesByStatus].map(([status, codes]) => `  ${status}:${union(codes)};`).join('\n')}
}

/** The codes that this version of the server answers. */
export type KnownErrorCode =
  | CodesByStatus[keyof CodesByStatus]${otherCodes.map((code) => `\n  | ${JSON.stringify(code)}`).join('')};

${events}

${params.join('\n')}

${classes.join('\n\n')}
`;
}

/** src/generated/api.gen.ts: the client with all groups. */
export function printClient(methods: readonly Method[]): string {
  const { groups } = groupMethods(methods);
  const classNames = [...groups.values()].map(classNameOf).sort();
  return `// Written by scripts/generate.ts from docs/openapi.json; do not edit.
import { Client } from '../client.ts';
import type { RentApiOptions } from '../options.ts';
import {
${classNames.map((name) => `  ${name},`).join('\n')}
} from './resources.gen.ts';

export class Api extends Client {
${constructionText(groups, 'options?: RentApiOptions', 'options', 'this.transport')}
}
`;
}

/** Adds the class of a group after the classes of the groups inside it. */
function printClass(group: Group, classes: string[]): void {
  for (const child of group.groups.values()) printClass(child, classes);
  const construction =
    group.groups.size > 0 ? [constructionText(group.groups, 'transport: Transport', 'transport', 'transport')] : [];
  const members = [...construction, ...group.methods.map(methodText)].join('\n\n');
  classes.push(
    `/** \`client.${group.path.join('.')}\` */\nexport class ${classNameOf(group)} extends Resource {\n${members}\n}`,
  );
}

/** A field for each group, and the constructor that fills them. */
function constructionText(groups: Group['groups'], parameter: string, argument: string, transport: string): string {
  const fields = [...groups].map(([name, group]) => `  readonly ${name}: ${classNameOf(group)};`);
  const assignments = [...groups].map(([name, group]) => `    this.${name} = new ${classNameOf(group)}(${transport});`);
  return `${fields.join('\n')}\n\n  constructor(${parameter}) {\n    super(${argument});\n${assignments.join('\n')}\n  }`;
}

/** Suffixed, so that `client.usage` and a schema `Usage` do not meet. */
function classNameOf({ path }: Group): string {
  return `${path.map(capital).join('')}Resource`;
}

function methodText(method: Method): string {
  // A blank line makes a paragraph: single lines run together where an editor shows them.
  const paragraphs = [...method.docs, `\`${method.http} ${method.path}\``].join('\n\n');
  const docs = [paragraphs, ...(method.tags.length > 0 ? ['', ...method.tags] : [])]
    .join('\n')
    .split('\n')
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

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
