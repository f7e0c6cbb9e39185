import { type AnyRouter, initTRPC } from '@trpc/server';
import { generateOpenApiDocument } from 'trpc-to-openapi';
import { z } from 'zod';
import type { ErrorCode } from '../contract/errors.ts';
import { type ProcedureMeta, restPath } from '../contract/meta.ts';
import { Problem } from '../contract/problem.ts';
import { TAGS } from '../contract/tags.ts';
import { ERRORS } from '../slices/errors.ts';
import type { RawAnswer, RawRoute } from '../wire/raw-route.ts';
import { acceptsApiKeys, impliedErrors, needsCredential } from './implied-errors.ts';
import {
  errorHeaders,
  HEADER_PARAMETERS,
  hasNotModified,
  headerParameters,
  RESPONSE_HEADERS,
  refer,
  successHeaders,
} from './openapi-headers.ts';
import { operationsOf } from './rest-routes.ts';

type Json = Record<string, unknown>;
interface Described extends Json {
  operationId: string;
  parameters?: Json[];
  requestBody?: { required: boolean; content: { 'application/json': { schema: Json; example?: unknown } } };
  responses: Record<string, Json>;
}
interface Document extends Json {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json; parameters?: Json; headers?: Json };
}

/**
 * The contract as an OpenAPI 3.1 document. trpc-to-openapi translates the schemas; the rest is added here: statuses,
 * problem+json errors by code, components for requests, security by access. Generating changes the schemas it reads, so
 * it runs in a process of its own, never in a server.
 */
export function buildOpenApi(router: AnyRouter, everyRawRoute: readonly RawRoute[], version: string): Document {
  const rawRoutes = everyRawRoute.filter(({ meta }) => meta.openapi.enabled !== false);
  const generated = generateOpenApiDocument(withRaw(router, rawRoutes), {
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
  const operations = operationsOf(router, rawRoutes);
  for (const { name, meta, type, inputs, raw } of operations) {
    const { method, path } = meta.openapi;
    const verb = method.toLowerCase();
    const operation = generated.paths[path]![verb]!;
    operation.operationId = name;
    operation['security'] = securityOf(meta);
    const repeatable = isIdempotent(meta, type);
    operation.responses = responsesOf(meta, operation, repeatable, raw?.answer);
    (operation.parameters ??= []).push(...headerParameters(meta, repeatable));
    if (operation.parameters?.length === 0) delete operation.parameters;
    nameRequestBody(operation, inputs, meta, schemas);
    const at = (paths[restPath(path)] ??= {});
    at[verb] = operation;
  }
  const tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  const components = { ...generated.components, parameters: HEADER_PARAMETERS, headers: RESPONSE_HEADERS };
  const document = { ...generated, servers: [{ url: '/' }], tags, paths, components };
  simplify(document);
  return document;
}

/** Raw routes as procedures that are never called: only their schemas are read. */
function withRaw(router: AnyRouter, rawRoutes: readonly RawRoute[]): AnyRouter {
  const t = initTRPC.meta<ProcedureMeta>().create();
  const procedures = rawRoutes.map(({ name, meta, input, answer }) => {
    const described = t.procedure.meta(meta).input(input).output(answer.schema);
    return [name, meta.openapi.method === 'GET' ? described.query(() => null) : described.mutation(() => null)];
  });
  return t.mergeRouters(router, t.router(Object.fromEntries(procedures)));
}

const DESCRIPTION = `
Identity, organizations, API keys, limits and events for your product, behind one contract: this REST API, typed tRPC at
\`/trpc\`, the npm package \`@rentapi/sdk\`, and a realtime socket at \`/api/v1/ws/realtime\`.

- **Credentials.** \`Authorization: Bearer <access token>\`, or \`X-API-Key: <key>\`; in both, the same.
- **Organization.** A signed-in user acts in the default organization, or in the one that \`X-Organization-Id\` names.
- **Errors** are \`application/problem+json\` with a \`code\` to branch on; each code is explained at \`/docs/errors/<code>\`.
  An unknown path answers 404 \`operation_not_found\`, an unknown method of a path 405 \`method_not_allowed\` with \`Allow\`.
- **Lists** answer \`{ items, nextCursor }\`; send \`nextCursor\` as \`cursor\` for the next page.
- **Repeating safely.** Send an \`Idempotency-Key\` with any authenticated change: a repeat within 24 hours gets the first answer.
- **Changing safely.** Send a resource's \`ETag\` as \`If-Match\`: the change is refused with 412 if another came first.
- **Reading again.** Send the \`ETag\` as \`If-None-Match\`: the answer is 304 without a body if nothing has changed.
- **Limits** are in \`RateLimit\` and \`RateLimit-Policy\`; a 429 has the seconds to wait in \`Retry-After\`.
`.trim();

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token from `POST /api/v1/auth/login`, or an API key where the operation takes keys.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key from `POST /api/v1/api-keys`.' },
} as const;

/** Whether a repeat gets the stored answer: see `procedure.ts`. */
function isIdempotent(meta: ProcedureMeta, type: string): boolean {
  return type === 'mutation' && meta.idempotency !== false && securityOf(meta).length > 0;
}

function securityOf(meta: ProcedureMeta): Json[] {
  if (!needsCredential(meta)) return [];
  return acceptsApiKeys(meta) ? [{ bearer: [] }, { apiKey: [] }] : [{ bearer: [] }];
}

function responsesOf(
  meta: ProcedureMeta,
  operation: Described,
  repeatable: boolean,
  raw?: RawAnswer,
): Described['responses'] {
  const status = meta.rest?.status ?? 200;
  const success = { ...operation.responses['200'], description: SUCCESS[status] } as Json & { content?: Json };
  if (raw) success.content = { [raw.type]: success.content?.['application/json'] };
  else if (status === 204 || status === 202) delete success.content;
  else if (meta.example.output !== undefined) {
    const content = success.content as { 'application/json': Json };
    content['application/json']['example'] = meta.example.output;
  }
  success['headers'] = successHeaders(meta, { isIdempotent: repeatable });
  const codes = new Set([...impliedErrors(meta, repeatable), ...(meta.errors ?? [])]);
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  const errors = [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([errorStatus, codes]) => [String(errorStatus), problemResponse(codes)] as const);
  return { [status]: success, ...(hasNotModified(meta) && { 304: NOT_MODIFIED }), ...Object.fromEntries(errors) };
}

const NOT_MODIFIED: Json = {
  description: 'Not modified',
  headers: refer(['X-Request-Id', 'RateLimit', 'RateLimit-Policy', 'ETag']),
};

const SUCCESS = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No content' } as const;

function problemResponse(codes: ErrorCode[]): Json {
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
    headers: errorHeaders(codes),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** Request bodies become components: under the schema's own id, or one made from the operation's. */
function nameRequestBody(
  operation: Described,
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

/** The format of a date-time or an address says more than the regular expression behind it. */
function simplify(node: unknown): void {
  if (node === null || typeof node !== 'object') return;
  const schema = node as Json;
  if (schema['format'] === 'date-time' || schema['format'] === 'email') delete schema['pattern'];
  for (const value of Object.values(schema)) simplify(value);
}
