import { type AnyRouter, initTRPC } from '@trpc/server';
import { generateOpenApiDocument } from 'trpc-to-openapi';
import { z } from 'zod';
import { simplify } from '../contract/json-schema.ts';
import { type ProcedureMeta, restPath, type Upload } from '../contract/meta.ts';
import { Problem } from '../contract/problem.ts';
import { TAGS } from '../contract/tags.ts';
import type { EventType } from '../events/event.ts';
import type { RawRoute } from '../wire/raw-route.ts';
import { EXAMPLE_ORIGIN } from './code-samples.ts';
import { type DescribedOperation, describeContract } from './describe-contract.ts';
import { isIdempotent } from './implied-errors.ts';
import { eventSchemas, webhooksOf } from './openapi-events.ts';
import { HEADER_PARAMETERS, headerParameters, RESPONSE_HEADERS } from './openapi-headers.ts';
import { ERROR_RESPONSES, responsesOf } from './openapi-responses.ts';
import { openAnswers } from './openapi-schemas.ts';
import { shareRepeated } from './openapi-shared.ts';
import { type Operation, operationsOf, shapeOf } from './rest-routes.ts';

export type Json = Record<string, unknown>;

export interface DocumentedOperation extends Json {
  operationId: string;
  parameters?: Json[];
  requestBody?: { required: boolean; content: { [type: string]: { schema: Json; example?: unknown } } };
  responses: Record<string, Json>;
}

export interface OpenApiDocument extends Json {
  info: Json;
  paths: Record<string, Record<string, DocumentedOperation>>;
  webhooks: Json;
  components: Json & { schemas: Record<string, Json> };
}

interface Contract {
  router: AnyRouter;
  rawRoutes: readonly RawRoute[];
  eventTypes: ReadonlyMap<string, EventType>;
}

/**
 * The contract as an OpenAPI 3.1 document. trpc-to-openapi translates the schemas; the rest is added here: statuses,
 * shared problem+json answers, components for requests, access, code samples, events. Generating changes the schemas it
 * reads, so it runs in a process of its own, never in a server.
 */
export function buildOpenApi({ router, rawRoutes: declared, eventTypes }: Contract, version: string): OpenApiDocument {
  const rawRoutes = declared.filter(({ meta }) => meta.openapi.enabled !== false);
  const described = describeContract(router, rawRoutes, eventTypes);
  const generated = generateOpenApiDocument(withUncalled(router, rawRoutes, eventSchemas(eventTypes)), {
    title: 'RentAPI',
    version,
    description: DESCRIPTION,
    baseUrl: '/',
    openApiVersion: '3.1.0',
    securitySchemes: SECURITY_SCHEMES,
    defs: { Problem },
  }) as unknown as OpenApiDocument;
  const { schemas } = generated.components;
  for (const name of Object.keys(schemas)) if (name.startsWith('error.')) delete schemas[name];

  const paths: OpenApiDocument['paths'] = {};
  const operations = new Map(operationsOf(router, rawRoutes).map((operation) => [operation.name, operation]));
  for (const description of described.operations) {
    const operation = operations.get(description.id)!; // both are made from the same router
    const { method, path } = operation.meta.openapi;
    const verb = method.toLowerCase();
    const at = (paths[restPath(path)] ??= {});
    at[verb] = document(generated.paths[path]![verb]!, operation, description);
    nameRequestBody(at[verb], operation, schemas);
  }
  const complete: OpenApiDocument = {
    ...generated,
    info: { ...generated.info, ...INFO },
    externalDocs: { description: 'Guides', url: `${EXAMPLE_ORIGIN}/docs/guides` },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: webhooksOf(described.events),
    components: {
      ...generated.components,
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: ERROR_RESPONSES,
      parameters: HEADER_PARAMETERS,
      headers: RESPONSE_HEADERS,
    },
  };
  simplify(complete);
  openAnswers(complete);
  const shared = shareRepeated(Object.values(paths).flatMap((path) => Object.values(path)));
  complete.components['parameters'] = { ...HEADER_PARAMETERS, ...shared.parameters };
  complete.components['responses'] = { ...ERROR_RESPONSES, ...shared.responses };
  return complete;
}

/** Raw routes and events as procedures that are never called: only their schemas are read. */
function withUncalled(router: AnyRouter, rawRoutes: readonly RawRoute[], events: z.ZodType): AnyRouter {
  const t = initTRPC.meta<ProcedureMeta>().create();
  const procedures = rawRoutes.map(({ name, meta, input, answer }) => {
    const described = t.procedure.meta(meta).input(input).output(answer.schema);
    return [name, meta.openapi.method === 'GET' ? described.query(() => null) : described.mutation(() => null)];
  });
  const openapi = { method: 'GET', path: '/events', tags: ['Realtime'], summary: 'Events', description: '' } as const;
  const sent = t.procedure.meta({ access: 'public', openapi: { ...openapi, tags: ['Realtime'] }, example: {} });
  const uncalled = { ...Object.fromEntries(procedures), events: sent.output(events).query(() => null) };
  return t.mergeRouters(router, t.router(uncalled));
}

export const INFO = {
  license: { name: 'MIT', identifier: 'MIT' },
  contact: { name: 'RentAPI', url: `${EXAMPLE_ORIGIN}/` },
};

const DESCRIPTION = `
Identity, organizations, API keys, limits and events for your product, behind one contract: this REST API, typed tRPC at
\`/trpc\`, the npm package \`@rentapi/sdk\`, and a realtime socket at \`/api/v1/ws/realtime\`.

- **Credentials.** \`Authorization: Bearer <access token>\`, or \`X-API-Key: <key>\`; in both, the same.
- **Cookies.** For web pages, a login with \`cookie: true\` keeps the refresh token in an HttpOnly cookie. \`x-rentapi-cookie\` says which
  operations set or read cookies; only those answer requests of other origins with cookies, if \`CORS_ORIGINS\` names the origin.
- **Access.** Each operation says what it needs. A permission such as \`api_keys:read\` is held by a member through roles, and by a key as a scope.
- **Organization.** A signed-in user acts in the default organization, or in the one that \`X-Organization-Id\` names.
- **Errors** are \`application/problem+json\` with a \`code\` to branch on; each code is explained at \`/docs/errors/<code>\`.
  \`x-error-codes\` lists those of an operation. An unknown path answers 404 \`operation_not_found\`, an unknown method of a
  path 405 \`method_not_allowed\` with \`Allow\`.
- **New values.** Take fields and values that you do not know: where an answer lists values, a later version may add some. \`/docs/guides/versions\` has the rules.
- **Lists** answer \`{ items, nextCursor }\`; send \`nextCursor\` as \`cursor\` for the next page.
- **Repeating safely.** Send an \`Idempotency-Key\` with any authenticated change: a repeat within 24 hours gets the first answer.
- **Changing safely.** Send a resource's \`ETag\` as \`If-Match\`: the change is refused with 412 if another came first.
- **Reading again.** Send the \`ETag\` as \`If-None-Match\`: the answer is 304 without a body if nothing has changed.
- **Limits** are in \`RateLimit\` and \`RateLimit-Policy\`; a 429 has the seconds to wait in \`Retry-After\`.
- **Events** are listed under \`webhooks\`, as webhooks get them; the realtime socket sends them too, as they happen. \`/asyncapi.json\` has every message of the sockets.
- **Samples.** \`client\` is \`new RentApi({ baseUrl, apiKey })\` of \`@rentapi/sdk\`; \`trpc\` is a tRPC client of \`@rentapi/contract\`.
`.trim();

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token from `POST /api/v1/auth/login`, or an API key where the operation takes keys.',
  },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key from `POST /api/v1/api-keys`.' },
} as const;

/** An operation as it was translated, with what its meta says. */
function document(
  translated: DocumentedOperation,
  operation: Operation,
  description: DescribedOperation,
): DocumentedOperation {
  const { meta, type } = operation;
  const repeatable = isIdempotent(meta, type);
  const parameters = [
    ...(translated.parameters ?? []).map((parameter) => describeParameter(parameter, operation)),
    ...headerParameters(meta, repeatable),
  ];
  const { parameters: _, ...rest } = translated;
  return {
    ...rest,
    operationId: description.id,
    ...(meta.upload && { requestBody: uploadBody(meta.upload) }),
    ...(operation.raw?.signed && { requestBody: SIGNED_BODY }),
    description: descriptionOf(description, meta),
    security: securityOf(description),
    ...(parameters.length > 0 && { parameters }),
    responses: responsesOf(translated, operation, description.errors),
    'x-rentapi-access': { access: description.access, ...(description.fresh && { fresh: true }) },
    ...(meta.cookie && { 'x-rentapi-cookie': meta.cookie }),
    ...(meta.repeatable && { 'x-rentapi-repeatable': true }),
    'x-error-codes': description.errors,
    'x-codeSamples': samplesOf(description),
  };
}

function uploadBody({ field, description }: Upload): NonNullable<DocumentedOperation['requestBody']> {
  const file = { type: 'string', format: 'binary', description };
  const schema = { type: 'object', required: [field], properties: { [field]: file }, additionalProperties: false };
  return { required: true, content: { 'multipart/form-data': { schema } } };
}

const SIGNED_BODY = {
  required: true,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        description: 'As its sender has signed it, byte for byte.',
        additionalProperties: true,
      },
    },
  },
};

/** What follows from access, and the errors that follow from nothing else, are said in words too. */
function descriptionOf({ description, needs }: DescribedOperation, { errors }: ProcedureMeta): string {
  const own = errors?.length ? `\n\nErrors of its own: ${errors.map((code) => `\`${code}\``).join(', ')}.` : '';
  return `${description}\n\n${needs}${own}`;
}

function securityOf({ credentials }: DescribedOperation): Json[] {
  return credentials.map((kind) => (kind === 'user' ? { bearer: [] } : { apiKey: [] }));
}

function samplesOf({ samples: { sdk, trpc, curl } }: DescribedOperation): Json[] {
  return [
    { lang: 'TypeScript', label: 'SDK', source: sdk },
    ...(trpc === null ? [] : [{ lang: 'TypeScript', label: 'tRPC', source: trpc }]),
    { lang: 'Shell', label: 'curl', source: curl },
  ];
}

/** The translation leaves the description in the schema, or loses it with `.optional()`. */
function describeParameter(parameter: Json, { inputs }: Operation): Json {
  const { description: inSchema, example: _, ...schema } = parameter['schema'] as Json;
  const field = inputs.map((input) => shapeOf(input)[String(parameter['name'])]).find((found) => found !== undefined);
  const { in: place, name, required, description = inSchema ?? field?.description } = parameter;
  const example = exampleOf(parameter) ?? field?.meta()?.['example'];
  return {
    name,
    in: place,
    ...(required === true && { required }),
    ...(description !== undefined && { description }),
    schema,
    ...(example !== undefined && { example }),
  };
}

function exampleOf({ example, schema }: Json): unknown {
  return example ?? (schema as Json)['example'];
}

/** Request bodies become components: under the schema's own id, or one made from the operation's. */
function nameRequestBody(
  operation: DocumentedOperation,
  { inputs, meta }: Operation,
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
