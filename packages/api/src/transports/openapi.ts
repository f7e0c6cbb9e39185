import type { AnyRouter } from '@trpc/server';
import { generateOpenApiDocument } from 'trpc-to-openapi';
import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../contract/errors.ts';
import { type ProcedureMeta, restPath } from '../contract/meta.ts';
import { isOrganizationPermission } from '../contract/permissions.ts';
import { Problem } from '../contract/problem.ts';
import { proceduresOf } from './rest-routes.ts';

type Json = Record<string, unknown>;
interface Operation extends Json {
  operationId: string;
  parameters?: Json[];
  requestBody?: { required: boolean; content: { 'application/json': { schema: Json; example?: unknown } } };
  responses: Record<string, Json>;
}
interface Document extends Json {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
}

/**
 * The contract as an OpenAPI 3.1 document. trpc-to-openapi translates the schemas; everything it cannot know is mended here:
 * true statuses, problem+json errors by code, components for requests, security by access. Generating changes the schemas it
 * reads, so it runs in a process of its own, never in a server.
 */
export function buildOpenApi(router: AnyRouter, version: string): Document {
  const generated = generateOpenApiDocument(router, {
    title: 'RentAPI',
    version,
    description: DESCRIPTION,
    baseUrl: '/',
    openApiVersion: '3.1.0',
    securitySchemes: SECURITY_SCHEMES,
    defs: { Problem },
  }) as unknown as Document;
  const { schemas } = generated.components;
  for (const name of Object.keys(schemas)) if (name.startsWith('error.')) delete schemas[name];

  const paths: Document['paths'] = {};
  for (const [name, { meta, type, inputs }] of proceduresOf(router)) {
    const { method, path } = meta.openapi;
    const verb = method.toLowerCase();
    const operation = generated.paths[path]![verb]!;
    operation.operationId = name;
    operation['security'] = securityOf(meta);
    operation.responses = responsesOf(meta, operation);
    if (keepsAnswers(meta, type)) (operation.parameters ??= []).push(IDEMPOTENCY_KEY);
    if (operation.parameters?.length === 0) delete operation.parameters;
    nameRequestBody(operation, inputs, meta, schemas);
    const at = (paths[restPath(path)] ??= {});
    at[verb] = operation;
  }
  const tags = [...new Set(proceduresOf(router).map(([, { meta }]) => meta.openapi.tags[0]))].map((tag) => ({
    name: tag,
  }));
  const document = { ...generated, servers: [{ url: '/' }], tags, paths };
  simplify(document);
  return document;
}

const DESCRIPTION = `
Identity, organizations, API keys, limits and events for your product, behind one contract: this REST API, typed tRPC at \`/trpc\`,
the npm package \`@rentapi/sdk\`, and a realtime socket at \`/api/v1/ws/realtime\`.

- **Credentials.** \`Authorization: Bearer <access token>\`, or \`X-API-Key: <key>\`; not both.
- **Organization.** A signed-in person acts in their default organization, or in the one that \`X-Organization-Id\` names.
- **Errors** are \`application/problem+json\` with a \`code\` to branch on; each code is explained at \`/docs/errors/<code>\`.
- **Lists** answer \`{ items, nextCursor }\`; send \`nextCursor\` as \`cursor\` for the next page.
- **Repeating safely.** Send an \`Idempotency-Key\` with any authenticated change: a repeat within 24 hours gets the first answer.
- **Changing safely.** Send a resource's \`ETag\` as \`If-Match\`: the change is refused with 412 if somebody else was faster.
- **Limits** are told in \`RateLimit\` and \`RateLimit-Policy\`; a 429 says in \`Retry-After\` how many seconds to wait.
`.trim();

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token from `POST /api/v1/auth/login`.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key from `POST /api/v1/api-keys`.' },
} as const;

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Of your making, for example a UUID: a repeat with the same key within 24 hours gets the first answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** The procedures that answer a repeat from memory: see `procedure.ts`. */
function keepsAnswers(meta: ProcedureMeta, type: string): boolean {
  return type === 'mutation' && meta.idempotency !== false && securityOf(meta).length > 0;
}

function securityOf({ access, fresh }: ProcedureMeta): Json[] {
  if (access === 'public' || access.startsWith('proof:')) return [];
  const keysToo = !fresh && (access === 'userOrKey' || isOrganizationPermission(access));
  return keysToo ? [{ bearer: [] }, { apiKey: [] }] : [{ bearer: [] }];
}

function responsesOf(meta: ProcedureMeta, operation: Operation): Operation['responses'] {
  const status = meta.rest?.status ?? 200;
  const success = { ...operation.responses['200'], description: SUCCESS[status] } as Json & { content?: Json };
  if (status === 204 || status === 202) delete success.content;
  else if (meta.example.output !== undefined) {
    const content = success.content as { 'application/json': Json };
    content['application/json']['example'] = meta.example.output;
  }
  const byStatus = Map.groupBy(errorCodesOf(meta), (code) => ERRORS[code].status);
  const errors = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([errorStatus, codes]) => [String(errorStatus), problemResponse(codes)] as const);
  return { [status]: success, ...Object.fromEntries(errors) };
}

const SUCCESS = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No content' } as const;

/** What the access and the input of a procedure imply, and what it says of itself. */
function errorCodesOf(meta: ProcedureMeta): ErrorCode[] {
  const { access } = meta;
  const codes: ErrorCode[] = ['invalid_input', 'rate_limited', 'internal_error', 'unavailable'];
  if (access !== 'public' && !access.startsWith('proof:')) {
    codes.push(
      'ambiguous_credentials',
      'credentials_required',
      'invalid_access_token',
      'access_token_expired',
      'session_revoked',
    );
    codes.push(
      'organization_mismatch',
      'account_inactive',
      access === 'user' || meta.fresh ? 'user_required' : 'invalid_api_key',
    );
    if (access !== 'user' && access !== 'userOrKey') codes.push('permission_denied');
    if (meta.fresh) codes.push('reauthentication_required');
  }
  if (meta.openapi.path.includes('{')) codes.push('not_found');
  return [...new Set([...codes, ...(meta.errors ?? [])])];
}

function problemResponse(codes: ErrorCode[]): Json {
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** Request bodies become components: under the schema's own id, or one made from the operation's. */
function nameRequestBody(
  operation: Operation,
  inputs: z.ZodType[],
  meta: ProcedureMeta,
  schemas: Record<string, Json>,
): void {
  const body = operation.requestBody?.content['application/json'];
  if (!body) return;
  if (Object.keys((body.schema['properties'] as object | undefined) ?? {}).length === 0) {
    delete operation.requestBody;
    return;
  }
  if (!('$ref' in body.schema)) {
    const declared = inputs.map((input) => z.globalRegistry.get(input)?.['id']).find((id) => id !== undefined);
    const name =
      declared ?? `${operation.operationId.replace(/(?:^|\.)(\w)/g, (_, first: string) => first.toUpperCase())}Request`;
    schemas[name] = body.schema;
    body.schema = { $ref: `#/components/schemas/${name}` };
  }
  const inPath = new Set(meta.openapi.path.match(/(?<=\{)\w+(?=\})/g));
  body.example = Object.fromEntries(Object.entries(meta.example.input ?? {}).filter(([field]) => !inPath.has(field)));
}

/** A date-time says its pattern by its format; the regular expression behind it helps no reader. */
function simplify(node: unknown): void {
  if (node === null || typeof node !== 'object') return;
  const schema = node as Json;
  if (schema['format'] === 'date-time' || schema['format'] === 'email') delete schema['pattern'];
  for (const value of Object.values(schema)) simplify(value);
}
