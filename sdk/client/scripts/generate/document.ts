import { readFileSync } from 'node:fs';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  format?: string;
  description?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
type Content = Record<string, { schema?: Schema; 'x-item-schema'?: Schema }>;
interface ResponseObject {
  $ref?: string;
  content?: Content;
  'x-error-codes'?: string[];
}
export interface Parameter {
  $ref?: string;
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
}
export interface OperationObject {
  operationId?: string;
  summary?: string;
  description?: string;
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, ResponseObject>;
  'x-error-codes'?: string[];
  security?: Record<string, string[]>[];
  'x-rentapi-access'?: { access: string; fresh?: boolean };
  'x-rentapi-cookie'?: 'sets' | 'reads' | 'binds';
  'x-rentapi-repeatable'?: true;
  'x-codeSamples'?: { label: string; source: string }[];
}
interface Document {
  paths: Record<string, Record<string, OperationObject>>;
  webhooks?: Record<string, { post: OperationObject }>;
  components: {
    schemas: Record<string, Schema>;
    parameters?: Record<string, Parameter>;
    responses?: Record<string, ResponseObject>;
  };
  security?: Record<string, string[]>[];
}

/** An operation with where it is in the document. */
export interface Entry {
  path: string;
  http: string;
  operation: OperationObject;
}

/** An event of the document, with the component that its data is. */
export interface EventEntry {
  name: string;
  description: string;
  dataName: string;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/** The OpenAPI document, with its references resolved on request. */
export function readDocument(file: string) {
  // The guarantee: hey-api has just read the same file as an OpenAPI document.
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  const { schemas, parameters = {}, responses = {} } = document.components;
  const nameOf = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1);
  const entries: Entry[] = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((http) => (item[http] ? [{ path, http, operation: item[http] }] : [])),
  );

  const resolve = (schema: Schema | undefined): Schema | undefined =>
    schema?.$ref ? schemas[nameOf(schema.$ref)] : schema;

  const parametersOf = (operation: OperationObject): Parameter[] =>
    (operation.parameters ?? []).map(
      (parameter) => (parameter.$ref ? parameters[nameOf(parameter.$ref)] : undefined) ?? parameter,
    );

  const isPublic = (operation: OperationObject): boolean =>
    (operation.security ?? document.security ?? []).every((choice) => Object.keys(choice).length === 0);

  const responseOf = (response: ResponseObject): ResponseObject =>
    (response.$ref ? responses[nameOf(response.$ref)] : undefined) ?? response;

  /** The whole catalogue, in the order of the document: the values of an open list. */
  const code = resolve(schemas.Problem?.properties?.code);
  const knownCodes = code?.anyOf?.find((choice) => choice.enum)?.enum ?? [];

  /** The codes that an operation may be refused with, by status. A shared answer names those of all operations. */
  const errorCodesOf = (operation: OperationObject): Map<string, string[]> => {
    const own = new Set(operation['x-error-codes']);
    return new Map(
      Object.entries(operation.responses)
        .filter(([status]) => /^[45]/.test(status))
        .map(([status, response]) => [
          status,
          (responseOf(response)['x-error-codes'] ?? []).filter((code) => own.has(code)),
        ]),
    );
  };

  const events: EventEntry[] = Object.entries(document.webhooks ?? {}).map(([name, { post }]) => {
    const event = resolve(post.requestBody?.content['application/json']?.schema);
    const dataName = event?.properties?.['data']?.$ref;
    if (!dataName) throw new Error(`${name}: the data of an event must be a component.`);
    return { name, description: event.description ?? name, dataName: nameOf(dataName) };
  });

  return { schemas, entries, events, responseOf, knownCodes, errorCodesOf, resolve, parametersOf, isPublic };
}

export type ApiDocument = ReturnType<typeof readDocument>;
