import { readFileSync } from 'node:fs';
import { validate } from '@readme/openapi-parser';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { visibleEvents } from '@rentapi/api/events/catalogue';
import { ERRORS } from '@rentapi/api/slices/errors';
import { eventTypes, rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { describeContract } from '@rentapi/api/transports/describe-contract';
import { describe, expect, it } from 'vitest';

interface SdkErrors {
  errorOfResponse(answer: Response, body: string, retryAfter: null): Error;
}
/** The SDK is written for browsers too: its types need a browser's, which Node does not have. */
const SDK_ERRORS: string = '../../../sdk/client/src/errors.ts';
const { errorOfResponse }: SdkErrors = await import(SDK_ERRORS);

/** What a document must be for programs and people that read it. New operations are judged without being named here. */
const source = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
const document = JSON.parse(source);
const contract = describeContract(appRouter, rawRoutes, eventTypes);

interface Json {
  [name: string]: Json;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: object;
}

const operations: [id: string, operation: Json & { parameters?: Json[] }][] = Object.values<Json>(document.paths)
  .flatMap((path) => Object.values(path))
  .map((operation) => [String(operation['operationId']), operation]);

const byReference = (node: Json): Json => {
  if (typeof node['$ref'] !== 'string') return node;
  const [, , kind = '', name = ''] = String(node['$ref']).split('/');
  return document.components[kind][name];
};

/** Every node below this one, with its path. */
function* walk(node: unknown, path: string): Generator<[path: string, node: Json]> {
  if (node === null || typeof node !== 'object') return;
  if (!Array.isArray(node)) yield [path, node as Json];
  for (const [name, value] of Object.entries(node)) yield* walk(value, `${path}/${name}`);
}

/** Everything that answers are made of: responses, events, and the schemas of both. */
function answerNodes(): [path: string, node: Json][] {
  const found: [string, Json][] = [];
  const seen = new Set<string>();
  const visit = (root: unknown, path: string): void => {
    for (const [at, node] of walk(root, path)) {
      found.push([at, node]);
      const name = /^#\/components\/schemas\/(.+)$/.exec(String(node['$ref'] ?? ''))?.[1];
      if (name === undefined || seen.has(name)) continue;
      seen.add(name);
      visit(document.components.schemas[name], name);
    }
  };
  for (const [id, { responses }] of operations) visit(responses, id);
  visit(document.components.responses, 'responses');
  visit(document.webhooks, 'webhooks');
  return found;
}

describe('the document, to validators of others', () => {
  it('has no problem for Redocly', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  });

  it('is valid for openapi-parser', async () => {
    expect(await validate(JSON.parse(source))).toEqual({ valid: true, warnings: [], specification: 'OpenAPI' });
  });
});

describe('every word of the document', () => {
  it.each(operations)('%s says what it does and needs', (id, operation) => {
    const described = contract.operations.find((operation) => operation.id === id)!;
    expect(operation['description']).toContain(described.needs);
    expect(operation['x-rentapi-access']).toEqual({
      access: described.access,
      ...(described.fresh && { fresh: true }),
    });
    expect(described.description).toMatch(/^(?:[A-Z`]|503).*\.$/s);
  });

  it.each(operations)('%s describes its parameters', (_id, { parameters = [] }) => {
    const found = parameters.map((parameter) => byReference(parameter) as unknown as Parameter);
    expect(found.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
  });

  it('describes every schema, and every property of it', () => {
    const { schemas } = document.components;
    const isSaid = (node: Json): boolean => node['description'] !== undefined || typeof node['$ref'] === 'string';
    // A list of properties may contain one that is called so.
    const isList = (path: string): boolean => /(?<!\/properties)\/properties$/.test(path);
    const silent = [...walk(schemas, '')].flatMap(([path, { properties }]) =>
      Object.entries(isList(path) ? {} : (properties ?? {}))
        .filter(([, property]) => !isSaid(property))
        .map(([name]) => `${path}.${name}`),
    );
    const unnamed = Object.keys(schemas).filter((name) => schemas[name].description === undefined);
    expect([...silent, ...unnamed]).toEqual([]);
  });

  it('fills in no optional header, which a tool would send as it is', () => {
    const parameters = Object.values<Json>(document.components.parameters);
    const optional = parameters.filter((parameter) => String(parameter['in']) === 'header' && !parameter['required']);
    expect(optional.length).toBeGreaterThan(0);
    for (const header of optional)
      for (const [, node] of walk(header, ''))
        for (const name of ['example', 'examples', 'default']) expect(node).not.toHaveProperty(name);
  });
});

describe('errors in the document', () => {
  it.each(operations)('%s lists its codes, and answers exactly their statuses', (_id, operation) => {
    const codes = operation['x-error-codes'] as unknown as (keyof typeof ERRORS)[];
    const statuses = new Set(codes.map((code) => String(ERRORS[code].status)));
    const answered = Object.keys(operation['responses']!).filter((status) => status >= '400');
    expect(answered.toSorted()).toEqual([...statuses].toSorted());
    for (const status of answered)
      expect(operation['responses']![status]).toEqual({
        $ref: expect.stringMatching(/^#\/components\/responses\/[A-Z]/),
      });
  });

  it('have an example, and say how much is left and how long to wait', () => {
    for (const [name, { headers, content }] of Object.entries<Json>(document.components.responses)) {
      if (content === undefined) continue;
      const { example } = content['application/problem+json']! as unknown as { example: { status: number } };
      const names = Object.keys(headers!);
      expect(names.includes('RateLimit'), name).toBe(example.status < 500);
      expect(names.includes('Retry-After'), name).toBe([409, 429, 503].includes(example.status));
    }
  });

  it('are thrown by the SDK as the class that is named', () => {
    for (const { code, status, sdkClass } of contract.errors) {
      const answer = new Response(JSON.stringify({ code }), { status });
      expect(errorOfResponse(answer, JSON.stringify({ code }), null).constructor.name, code).toBe(sdkClass);
    }
  });

  it('may be repeated after a while exactly where the answer says when', () => {
    const waits = contract.errors.filter(({ retry }) => retry === 'after').map(({ code }) => code);
    expect(waits.toSorted()).toEqual([
      'idempotency_in_progress',
      'oauth_provider_unavailable',
      'overloaded',
      'payment_provider_unavailable',
      'rate_limited',
      'renewal_due',
      'too_many_codes',
      'unavailable',
    ]);
  });
});

describe('code samples', () => {
  it.each(operations)('of %s show the SDK first', (id, operation) => {
    const samples = operation['x-codeSamples'] as unknown as { lang: string; label: string; source: string }[];
    const isProcedure = id in appRouter._def.procedures;
    expect(samples.map(({ label }) => label)).toEqual(['SDK', ...(isProcedure ? ['tRPC'] : []), 'curl']);
    expect(samples[0]!.source).toContain(`client.${id}(`);
    expect(samples.at(-1)!.source).toMatch(/^curl .*'https:\/\/api\.example\.com\/(api\/v1|health)/);
  });
});

describe('answers in the document', () => {
  it('are open for values and fields of a later version', () => {
    const closed = answerNodes().filter(([, node]) => {
      const list = (item: unknown): boolean =>
        typeof item === 'object' && item !== null && 'enum' in byReference(item as Json);
      const choices = node['anyOf'] as unknown as Json[] | undefined;
      if (choices?.some(list)) return !choices.some((choice) => JSON.stringify(choice) === '{"type":"string"}');
      const held = [node['items'], ...Object.values(node['properties'] ?? {})];
      return held.some(list) || node['additionalProperties'] === (false as unknown);
    });
    expect(closed.map(([path]) => path)).toEqual([]);
  });

  it('are closed in requests', () => {
    const { CreateApiKey } = document.components.schemas;
    expect(CreateApiKey.additionalProperties).toBe(false);
    expect(CreateApiKey.properties.scopes.items).toEqual({ $ref: '#/components/schemas/Scope' });
    expect(CreateApiKey.properties.environment.enum).toEqual(['live', 'test']);
  });

  it('are text where they are one JSON value a line, with the schema of a line', () => {
    const [[, operation] = ['', {} as Json]] = operations.filter(([id]) => id === 'orgs.exportAuditLogs');
    expect(operation['responses']!['200']!['content']!['application/x-ndjson']).toEqual({
      schema: { type: 'string', description: expect.any(String) },
      'x-item-schema': { $ref: '#/components/schemas/AuditEntry' },
    });
  });

  it('carry no bounds that are only those of JavaScript, and bound every id', () => {
    expect(source).not.toContain(String(Number.MAX_SAFE_INTEGER));
    const ids = [...walk(document, '')].filter(([, { pattern }]) => /^\^\(?[a-z]{3}[_|]/.test(String(pattern)));
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter(([, { maxLength }]) => Number(maxLength) !== 30).map(([path]) => path)).toEqual([]);
  });
});

describe('events in the document', () => {
  it('are all that an organization may see, each with its permission, version, schema and example', () => {
    const visible = visibleEvents(eventTypes);
    expect(Object.keys(document.webhooks)).toEqual(visible.map(({ name }) => name));
    for (const { name, description, permission, version, example } of visible) {
      const { post } = document.webhooks[name];
      expect(post).toMatchObject({ 'x-rentapi-access': { access: permission }, 'x-rentapi-version': version });
      const { schema, example: sent } = post.requestBody.content['application/json'];
      expect(sent).toMatchObject({ type: name, data: example });
      expect(byReference(schema)).toMatchObject({ description, properties: { type: { const: name } } });
    }
  });
});
