import { type ProcedureMeta, restPath } from '../contract/meta.ts';
import { acceptsApiKeys, needsCredential } from './implied-errors.ts';
import { type Operation, shapeOf } from './rest-routes.ts';

/** One call in three ways. The guides set up `client`, `trpc` and the variables of the shell. */
export interface CodeSamples {
  sdk: string;
  /** null: tRPC has no such call. */
  trpc: string | null;
  curl: string;
}

/** Stands for the server's address; a server that knows its own replaces it. */
export const EXAMPLE_ORIGIN = 'https://api.example.com';

export function codeSamples(operation: Operation): CodeSamples {
  const { name, meta, type, raw } = operation;
  const input = meta.example.input ?? {};
  const args = argumentsOf(meta);
  const verb = type === 'query' ? 'query' : 'mutate';
  return {
    sdk: sdkCall(operation, args),
    trpc: raw ? null : `${resultOf(operation)}await trpc.${name}.${verb}(${args});`,
    curl: curlCall(operation, input),
  };
}

/** A file is named, because there is no literal of one. */
function argumentsOf({ example: { input = {} }, upload }: ProcedureMeta): string {
  if (!upload) return Object.keys(input).length > 0 ? printLiteral(input) : '';
  const given = Object.entries(input).map(([name, value]) => `${nameOf(name)}: ${onOneLine(value)}`);
  return `{ ${[...given, upload.field].join(', ')} }`;
}

function sdkCall(operation: Operation, args: string): string {
  const call = `client.${operation.name}(${args})`;
  const yieldsMany = operation.raw?.answer.type === 'application/x-ndjson' || isPaged(operation);
  if (yieldsMany) return `for await (const item of ${call}) console.log(item);`;
  return `${resultOf(operation)}await ${call};`;
}

function resultOf({ meta }: Operation): string {
  return meta.example.output === undefined ? '' : 'const answer = ';
}

function isPaged({ inputs }: Operation): boolean {
  return inputs.some((input) => 'cursor' in shapeOf(input));
}

function curlCall({ meta, raw }: Operation, input: Record<string, unknown>): string {
  const { method, path } = meta.openapi;
  const left = new Map(Object.entries(input));
  const address = restPath(path).replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = String(left.get(field));
    left.delete(field);
    return encodeURIComponent(value);
  });
  const hasBody = !raw && method !== 'GET' && method !== 'DELETE' && left.size > 0;
  const query = new URLSearchParams();
  if (!hasBody) for (const [field, value] of left) query.set(field, String(value));
  const url = `${EXAMPLE_ORIGIN}${address}${query.size > 0 ? `?${query}` : ''}`;
  const parts = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`,
    ...(needsCredential(meta) ? [acceptsApiKeys(meta) ? '-H "X-API-Key: $RENTAPI_API_KEY"' : BEARER] : []),
    ...(meta.upload ? [`-F ${meta.upload.field}=@picture.png`] : []),
    ...(hasBody
      ? ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(Object.fromEntries(left)))}`]
      : []),
  ];
  return parts.join(' \\\n  ');
}

const BEARER = '-H "Authorization: Bearer $ACCESS_TOKEN"';

/** Quoted as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const WIDTH = 80;

/** A JSON value as a literal of JavaScript, on one line where it is short. */
function printLiteral(value: unknown, margin = ''): string {
  const line = onOneLine(value);
  if (line.length <= WIDTH || value === null || typeof value !== 'object') return line;
  const inner = `${margin}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const members = Array.isArray(value)
    ? value.map((item) => printLiteral(item, inner))
    : Object.entries(value).map(([name, item]) => `${nameOf(name)}: ${printLiteral(item, inner)}`);
  return `${open}\n${members.map((member) => `${inner}${member},\n`).join('')}${margin}${close}`;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`;
  if (value === null || typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([name, item]) => `${nameOf(name)}: ${onOneLine(item)}`);
  return members.length > 0 ? `{ ${members.join(', ')} }` : '{}';
}

function nameOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : onOneLine(name);
}
