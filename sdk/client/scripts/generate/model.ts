import type { ApiDocument, Entry, OperationObject, Parameter, Schema } from './document.ts';

type Cookies = 'asks' | 'carries' | 'always';

/** One method of the client, as the printers need it. */
export interface Method {
  id: string;
  name: string;
  typeName: string;
  http: string;
  path: string;
  /** Paragraphs. */
  docs: string[];
  /** `@throws` and the like. */
  tags: string[];
  needs: string;
  operation: Record<string, unknown>;
  paramsType: string;
  paramsRequired: boolean;
  answer: string;
  answerLabel: string;
  paged: boolean;
  /** The answer is one JSON value a line. */
  lines: boolean;
  /** Whether it carries cookies: `asks` where its input has `cookie`; `always` where it cannot do without. */
  cookies: Cookies | null;
}
/** `client.apiKeys`: methods, and groups inside. */
export interface Group {
  /** `['auth', 'email']` */
  path: readonly string[];
  methods: Method[];
  groups: Map<string, Group>;
}

/** The methods of the document's operations, in the order of their names. `declaredName` finds a generated type. */
export function buildMethods(document: ApiDocument, declaredName: (name: string) => string): Method[] {
  // Where the document names the header, only there; before it does, on every change that needs a credential.
  const namesIdempotencyKey = document.entries.some(({ operation }) =>
    document.parametersOf(operation).some(isIdempotencyKey),
  );
  const ordinary = ordinaryCodes(document);
  return document.entries
    .filter(({ operation }) => operation.responses['101'] === undefined)
    .map(describe)
    .sort((a, b) => (a.id < b.id ? -1 : 1));

  function describe({ path, http, operation }: Entry): Method {
    const id = operation.operationId;
    if (!id || !/^\w+(\.\w+)+$/.test(id))
      throw new Error(`${http} ${path}: the operationId must be a procedure's path, e.g. apiKeys.create; it is ${id}.`);
    const all = document.parametersOf(operation);
    const typeName = declaredName(`${id.replaceAll('.', '')}Data`).replace(/Data$/, '');
    const content = operation.requestBody?.content ?? {};
    const contentType = Object.keys(content).find((type) => type.includes('json')) ?? Object.keys(content)[0];
    const body =
      contentType === undefined
        ? undefined
        : contentType.includes('json')
          ? 'json'
          : contentType.startsWith('multipart/')
            ? 'form'
            : 'raw';
    const bodySchema = document.resolve(contentType === undefined ? undefined : content[contentType]?.schema);
    const pathNames = all.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    const queryNames = all.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const names = [...pathNames, ...queryNames, ...Object.keys(bodySchema?.properties ?? {})];
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) throw new Error(`${id}: the parameter ${twice} is named in two places; give them different names.`);
    const isPublic = document.isPublic(operation);
    const keyed = namesIdempotencyKey ? all.some(isIdempotencyKey) : http !== 'get' && !isPublic;
    const succeeded = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1];
    const success = succeeded && document.responseOf(succeeded);
    const answerTypes = Object.keys(success?.content ?? {});
    const isChoice = answerTypes.length > 1; // files of several types, by a parameter
    const answerType = isChoice
      ? answerTypes[0]
      : (answerTypes.find((type) => type.includes('json')) ?? answerTypes[0]);
    const lines = answerType === 'application/x-ndjson';
    const answered = answerType === undefined ? undefined : success?.content?.[answerType];
    const answerSchema = lines ? answered?.['x-item-schema'] : answered?.schema;
    const lineName = lines ? answerSchema?.$ref?.split('/').at(-1) : undefined;
    if (lines && lineName === undefined) throw new Error(`${id}: a line must be a component, named by x-item-schema.`);
    const stream = answerType === 'text/event-stream';
    const page = document.resolve(answerSchema)?.properties;
    const paged = page?.items?.items !== undefined && page.nextCursor !== undefined && queryNames.includes('cursor');
    const answer = stream
      ? 'Response'
      : answerType === undefined
        ? 'void'
        : `Types.${declaredName(lineName ?? `${typeName}Response`)}`;
    return {
      id,
      name: id.slice(id.lastIndexOf('.') + 1),
      typeName,
      http: http.toUpperCase(),
      path,
      docs: [operation.summary, operation.description?.replace(OWN_ERRORS, '')].filter((text) => text !== undefined),
      tags: [
        ...(operation.deprecated ? ['@deprecated'] : []),
        ...throwsTags(document.errorCodesOf(operation), ordinary),
        ...exampleTag(operation),
      ],
      needs: needsOf(operation['x-rentapi-access']),
      operation: {
        id,
        method: http.toUpperCase(),
        path,
        ...(isPublic && { public: true }),
        ...(keyed && { keyed }),
        ...(operation['x-rentapi-repeatable'] && { repeatable: true }),
        ...(body && { body }),
        ...(body && queryNames.length > 0 && { query: queryNames }),
        ...(body === 'raw' && { contentType }),
        ...(answerType === undefined && { empty: true }),
        ...(answerType !== undefined && !answerType.includes('json') && { accept: answerTypes.join(', ') }),
        ...((stream || lines) && { stream: true }),
      },
      paramsType: body === 'raw' ? 'RawParams' : names.length > 0 || body ? 'Params' : 'NoParams',
      paramsRequired:
        all.some((parameter) => parameter.in === 'path' || (parameter.in === 'query' && parameter.required)) ||
        body === 'raw' ||
        needsSomething(document, bodySchema, operation.requestBody?.required ?? false),
      answer,
      answerLabel: paged
        ? `PagePromise<${label(page?.items?.items)}>`
        : lines
          ? `AsyncGenerator<${label(answerSchema)}>`
          : answer === 'void' || stream
            ? answer
            : label(answerSchema, answer.slice('Types.'.length)),
      paged,
      lines,
      cookies: cookiesOf(operation, bodySchema),
    };
  }
}

function cookiesOf({ 'x-rentapi-cookie': cookie }: OperationObject, body: Schema | undefined): Cookies | null {
  if (!cookie) return null;
  if (cookie === 'binds') return 'always';
  return body?.properties?.cookie ? 'asks' : 'carries';
}

const CLASS_OF_STATUS: Record<string, string> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  402: 'PaymentRequiredError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  412: 'PreconditionFailedError',
  422: 'UnprocessableError',
  429: 'RateLimitError',
};
/** The same as `@throws` says. */
const OWN_ERRORS = /\n\nErrors of its own: .*$/;
/** A code that this share of all operations may answer says nothing about one of them. */
const ORDINARY_SHARE = 0.2;

function ordinaryCodes(document: ApiDocument): Set<string> {
  const lists = document.entries.map(({ operation }) => [...document.errorCodesOf(operation).values()].flat());
  const counts = new Map<string, number>();
  for (const code of lists.flat()) counts.set(code, (counts.get(code) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= lists.length * ORDINARY_SHARE).map(([code]) => code));
}

function throwsTags(codes: Map<string, string[]>, ordinary: Set<string>): string[] {
  return [...codes].flatMap(([status, all]) => {
    const own = all.filter((code) => !ordinary.has(code)).map((code) => `\`${code}\``);
    const name = CLASS_OF_STATUS[status] ?? (status.startsWith('5') ? 'ServerError' : 'RentApiError');
    return own.length > 0 ? [`@throws {${name}} ${own.join(', ')}`] : [];
  });
}

function exampleTag({ 'x-codeSamples': samples = [] }: OperationObject): string[] {
  const sample = samples.find(({ label }) => label === 'SDK');
  return sample ? [`@example\n\`\`\`ts\n${sample.source}\n\`\`\``] : [];
}

/** Who can call, in a few words. */
function needsOf({ access = '', fresh = false } = {}): string {
  if (access === 'public') return 'nothing';
  if (access === 'proof:signature') return 'a signature';
  if (access.startsWith('proof:')) return `a ${access.slice('proof:'.length)} token`;
  const login = fresh ? ' and a recent login' : '';
  if (access.startsWith('self:'))
    return `to be the user, or \`${access.slice('self:'.length)}\`,${login}`.replace(/,$/, '');
  const holder = access === 'user' ? 'a user' : access === 'userOrKey' ? 'a user or a key' : `\`${access}\``;
  return holder + login;
}

function isIdempotencyKey(parameter: Parameter): boolean {
  return parameter.in === 'header' && parameter.name.toLowerCase() === 'idempotency-key';
}

function needsSomething(document: ApiDocument, schema: Schema | undefined, required: boolean): boolean {
  if (!schema) return false;
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return required && union.every((choice) => needsSomething(document, document.resolve(choice), true));
  return (
    (schema.required ?? []).length > 0 ||
    (schema.allOf ?? []).some((part) => needsSomething(document, document.resolve(part), required))
  );
}

function label(schema: Schema | undefined, otherwise = 'object'): string {
  return schema?.$ref?.split('/').at(-1) ?? otherwise;
}

/** The tree that the names of the methods make. */
export function groupMethods(methods: readonly Method[]): Group {
  const root: Group = { path: [], methods: [], groups: new Map() };
  for (const method of methods) place(root, method);
  return root;
}

function place(root: Group, method: Method): void {
  let group = root;
  for (const name of method.id.split('.').slice(0, -1)) {
    if (group.methods.some((other) => other.name === name))
      throw new Error(`${method.id}: ${name} is an operation already, so it cannot hold others.`);
    const next = group.groups.get(name) ?? { path: [...group.path, name], methods: [], groups: new Map() };
    group.groups.set(name, next);
    group = next;
  }
  if (group.groups.has(method.name)) throw new Error(`${method.id} holds other operations, so it cannot be one.`);
  group.methods.push(method);
}
