import { readFileSync } from 'node:fs';

export interface Schema {
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
  example?: unknown;
}
type Content = Record<string, { schema?: Schema; example?: unknown }>;
interface ResponseObject {
  $ref?: string;
  description?: string;
  content?: Content;
}
export interface Parameter {
  $ref?: string;
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
  example?: unknown;
  schema?: Schema;
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
}
interface Document {
  paths: Record<string, Record<string, OperationObject>>;
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

  /** The whole catalogue, in the order of the document. */
  const knownCodes = resolve(schemas.Problem?.properties?.code)?.enum ?? [];

  /** The codes that an operation may be refused with, by status: its answers name them in their descriptions. */
  const errorCodesOf = (operation: OperationObject): Map<string, string[]> =>
    new Map(
      Object.entries(operation.responses)
        .filter(([status]) => /^[45]/.test(status))
        .map(([status, response]) => {
          const named = [...(responseOf(response).description ?? '').matchAll(/`([a-z][a-z0-9_]*)`/g)]
            .map(([, code]) => code!)
            .filter((code) => knownCodes.includes(code));
          // A shared answer may name more than this operation gives.
          const own = operation['x-error-codes'];
          return [status, own ? named.filter((code) => own.includes(code)) : named];
        }),
    );

  return { schemas, entries, responseOf, knownCodes, errorCodesOf, resolve, parametersOf, isPublic };
}

export type ApiDocument = ReturnType<typeof readDocument>;
