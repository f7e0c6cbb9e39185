import { EXAMPLE_ORIGIN } from '@rentapi/api/transports/code-samples';
import type { DescribedContract, DescribedError, DescribedOperation } from '@rentapi/api/transports/describe-contract';
import { cell, code, type DocPage, json, paragraphs, table } from './doc-page.ts';
import { errorPath } from './error-docs.ts';
import { type JsonSchema, type NamedSchemas, schemaTable, typeOf } from './schema-table.ts';

/** What these pages read of the OpenAPI document. */
export interface OpenApiDocument {
  paths?: Record<string, Record<string, OpenApiOperation>>;
  components?: { schemas?: NamedSchemas; parameters?: Record<string, Parameter> };
}

interface OpenApiOperation {
  operationId?: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
}

type Content = Record<string, { schema?: JsonSchema; 'x-item-schema'?: JsonSchema }>;

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: JsonSchema;
}

const parent = { path: '/docs/operations', title: 'Operations' };
export const operationPath = (id: string): string => `${parent.path}/${id}`;

export function operationPages(contract: DescribedContract, document: OpenApiDocument, publicUrl: string): DocPage[] {
  const described = new Map(
    Object.values(document.paths ?? {}).flatMap((methods) =>
      Object.values(methods).map((operation) => [operation.operationId, operation] as const),
    ),
  );
  const errors = new Map<string, DescribedError>(contract.errors.map((error) => [error.code, error]));
  return [
    {
      ...parent,
      summary: 'Every operation on a page of its own, without scripts.',
      section: 'Reference',
      kind: 'Reference',
      found: { words: 'Every operation, by what it works on.' },
      markdown: operationList(contract.operations),
    },
    ...contract.operations.map(
      (operation): DocPage => ({
        path: operationPath(operation.id),
        title: `${operation.summary} · ${operation.id}`,
        summary: `${operation.method} ${operation.path}. ${operation.needs}`,
        section: 'Reference',
        kind: 'Operation',
        found: { words: wordsFor(operation, described.get(operation.id)) },
        parent,
        markdown: operationPage(operation, described.get(operation.id), { document, errors, publicUrl }),
      }),
    ),
  ];
}

function wordsFor(
  { method, path, description, needs }: DescribedOperation,
  described: OpenApiOperation | undefined,
): string {
  const body = described?.requestBody?.content['application/json']?.schema;
  return [`${method} ${path}.`, description, needs, body?.$ref?.split('/').at(-1)].filter(Boolean).join(' ');
}

function operationList(operations: readonly DescribedOperation[]): string {
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  return paragraphs(
    '# Operations',
    'The same operations are in the [interactive reference](/docs) and in the [OpenAPI document](/openapi.json). Each is ' +
      'also a method of the [SDK](/docs/sdk) and, but for downloads, a [tRPC](/docs/trpc) procedure of the same name.',
    ...tags.map((tag) =>
      paragraphs(
        `## ${tag}`,
        table(
          ['Operation', 'Request', 'What it does'],
          operations
            .filter((operation) => operation.tag === tag)
            .map(({ id, method, path, summary }) => [
              `[\`${id}\`](${operationPath(id)})`,
              `\`${method} ${path}\``,
              cell(summary),
            ]),
        ),
      ).trimEnd(),
    ),
  );
}

interface Known {
  document: OpenApiDocument;
  errors: ReadonlyMap<string, DescribedError>;
  publicUrl: string;
}

function operationPage(
  operation: DescribedOperation,
  described: OpenApiOperation | undefined,
  { document, errors, publicUrl }: Known,
): string {
  const named = document.components?.schemas ?? {};
  const { samples } = operation;
  const body = described?.requestBody?.content['application/json']?.schema;
  return paragraphs(
    `# ${operation.summary}`,
    `\`${operation.method} ${operation.path}\``,
    operation.description,
    '## Who may call it',
    whoMayCall(operation),
    '## Call it',
    'With [the SDK](/docs/sdk):',
    code('ts', samples.sdk),
    samples.trpc && 'Over [tRPC](/docs/trpc):',
    samples.trpc && code('ts', samples.trpc),
    'With curl:',
    code('bash', samples.curl.replaceAll(EXAMPLE_ORIGIN, publicUrl)),
    parametersOf(described, document),
    body && paragraphs('## Body', schemaTable(body, named, { input: true })).trimEnd(),
    '## Answer',
    answerOf(operation, described, named),
    '## Errors',
    table(
      ['Code', 'Status', 'What it means'],
      operation.errors
        .flatMap((code) => errors.get(code) ?? [])
        .sort((a, b) => a.status - b.status)
        .map(({ code, status, meaning }) => [`[\`${code}\`](${errorPath(code)})`, `\`${status}\``, cell(meaning)]),
    ),
  );
}

function whoMayCall({ needs, scope, credentials }: DescribedOperation): string {
  const link = scope ? ' [Who has which permission](/docs/permissions).' : '';
  if (credentials.length === 0) return needs;
  const how = credentials.includes('key')
    ? 'Send an access token as `Authorization: Bearer …`, or an API key as `X-API-Key`.'
    : 'Send an access token as `Authorization: Bearer …`.';
  return `${needs} ${how}${link}`;
}

function parametersOf(described: OpenApiOperation | undefined, { components }: OpenApiDocument): string | null {
  const parameters = (described?.parameters ?? []).map((parameter) =>
    parameter.$ref ? (components?.parameters?.[parameter.$ref.split('/').at(-1) ?? ''] ?? parameter) : parameter,
  );
  if (parameters.length === 0) return null;
  const rows = parameters.map(({ name, in: place, required, description, schema = {} }) => [
    `\`${name}\``,
    `${place}, ${typeOf(schema, components?.schemas ?? {})}${required ? '' : ', optional'}`,
    cell(description ?? schema.description ?? ''),
  ]);
  return paragraphs('## Parameters', table(['Parameter', 'Where and what', 'Description'], rows)).trimEnd();
}

function answerOf(
  { status, example }: DescribedOperation,
  described: OpenApiOperation | undefined,
  named: NamedSchemas,
): string {
  const [type, content] = Object.entries(described?.responses[status]?.content ?? {})[0] ?? [];
  const schema = content?.['x-item-schema'] ?? content?.schema;
  if (!schema) return `\`${status}\`, without a body.`;
  const lines = type === 'application/x-ndjson' ? ', one such object for each line' : '';
  return paragraphs(
    `\`${status}\`, \`${type}\`${lines}.`,
    schemaTable(schema, named),
    example.output !== undefined && json(example.output),
  ).trimEnd();
}
