import { type Group, groupMethods, type Method } from './model.ts';

interface Model {
  methods: readonly Method[];
  /** Components of the document, as the generated types spell them. */
  schemaNames: readonly string[];
  errorCodes: readonly unknown[];
}

/** src/generated/resources.gen.ts: the classes behind `client.apiKeys` and the names of its types. */
export function printResources({ methods, schemaNames, errorCodes }: Model): string {
  const root = groupMethods(methods);
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
      ...schemaNames,
      ...methods.flatMap(({ answer }) => (answer.startsWith('Types.') ? [answer.slice('Types.'.length)] : [])),
    ]),
  ].sort();
  const codes = errorCodes.map((code) => JSON.stringify(code));
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

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
