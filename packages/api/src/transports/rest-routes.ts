import type { AnyRouter } from '@trpc/server';
import type { z } from 'zod';
import { type Alias, type Method, type ProcedureMeta, restPath } from '../contract/meta.ts';
import type { RawRoute } from '../wire/raw-route.ts';

/** How text from the query or the path becomes the value of its field. */
export type Coercion = 'text' | 'number' | 'boolean' | { listOf: 'text' | 'number' | 'boolean' };

export interface Route {
  /** The procedure's name: `apiKeys.create`. */
  procedure: string;
  type: 'query' | 'mutation';
  /** Whether the input comes in the body; else in the query. */
  hasBody: boolean;
  status: number;
  /** Ignores its query. */
  isProbe: boolean;
  /** Fields of the path, in order. */
  params: string[];
  fields: Map<string, Coercion>;
  /** snake_case spellings of the input's fields, with the declared names. */
  snakeCase: Map<string, string>;
  /** For aliases: the path to call instead. */
  successor?: string;
  /** Set where the route is not a procedure. */
  raw?: RawRoute;
}

/** A trie of path segments, built at start: the time to find a route depends on the path's length only. */
export interface Node {
  named: Map<string, Node>;
  any?: Node;
  routes?: Map<string, Route>;
}

interface Procedure {
  _def: { type: 'query' | 'mutation'; meta?: ProcedureMeta; inputs: z.ZodType[] };
}
interface Declared {
  _def: Procedure['_def'] | { type: 'subscription' };
}

/** Every query and mutation. Subscriptions exist only in tRPC. */
export function proceduresOf(
  router: AnyRouter,
): [name: string, procedure: Procedure['_def'] & { meta: ProcedureMeta }][] {
  return Object.entries(router._def.procedures as Record<string, Declared>).flatMap(([name, { _def }]) => {
    if (_def.type === 'subscription') return [];
    if (!_def.meta) throw new Error(`${name} is declared without meta`);
    return [[name, { ..._def, meta: _def.meta }]];
  });
}

export function subscriptionsOf(router: AnyRouter): string[] {
  const declared = Object.entries(router._def.procedures as Record<string, Declared>);
  return declared.filter(([, { _def }]) => _def.type === 'subscription').map(([name]) => name);
}

export interface Operation {
  name: string;
  meta: ProcedureMeta;
  type: 'query' | 'mutation';
  inputs: z.ZodType[];
  raw?: RawRoute;
}

/** Everything that is served over REST: every query and mutation, and every raw route. */
export function operationsOf(router: AnyRouter, rawRoutes: readonly RawRoute[]): Operation[] {
  const procedures = proceduresOf(router).map(([name, { meta, type, inputs }]) => ({ name, meta, type, inputs }));
  const raw = rawRoutes.map((route): Operation => {
    const { name, meta, input } = route;
    return { name, meta, type: meta.openapi.method === 'GET' ? 'query' : 'mutation', inputs: [input], raw: route };
  });
  return [...procedures, ...raw];
}

/** Second names of whole groups of paths: `{ '/organizations': '/tenants' }`. */
export type PathAliases = Readonly<Record<string, string>>;

export function buildRoutes(router: AnyRouter, rawRoutes: readonly RawRoute[], pathAliases: PathAliases = {}): Node {
  const root: Node = { named: new Map() };
  for (const { name, meta, type, inputs, raw } of operationsOf(router, rawRoutes)) {
    const { method, path } = meta.openapi;
    const fields = fieldsOf(inputs);
    const route = (alias?: Alias): Route => ({
      procedure: name,
      type,
      hasBody: !raw && hasBody(alias?.method ?? method),
      status: meta.rest?.status ?? 200,
      isProbe: meta.probe === true,
      params: [],
      fields,
      snakeCase: new Map(
        [...fields.keys()]
          .map((field) => [toSnakeCase(field), field] as const)
          .filter(([snake, field]) => snake !== field),
      ),
      ...(alias && { successor: restPath(path) }),
      ...(raw && { raw }),
    });
    insert(root, method, path, route());
    for (const alias of aliasesOf(meta, pathAliases)) insert(root, alias.method, alias.path, route(alias));
  }
  return root;
}

/** PUT wherever PATCH is served, and everything under the second name. */
function aliasesOf({ openapi: { method, path }, rest }: ProcedureMeta, pathAliases: PathAliases): Required<Alias>[] {
  const family = Object.keys(pathAliases).find((name) => path === name || path.startsWith(`${name}/`));
  const names: Alias[] = [{ path }, ...(rest?.aliases ?? [])];
  if (family !== undefined) names.push({ path: pathAliases[family] + path.slice(family.length) });
  const aliases = names.flatMap(({ method: own = method, path }): Required<Alias>[] => {
    const named = { method: own, path };
    return own === 'PATCH' ? [named, { ...named, method: 'PUT' }] : [named];
  });
  return aliases.slice(1); // the first is the canonical path
}

function insert(root: Node, method: Method, path: string, route: Route): void {
  let node = root;
  for (const segment of restPath(path).slice(1).split('/')) {
    const param = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (param) route.params.push(param);
    const next: Node = (param ? node.any : node.named.get(segment)) ?? { named: new Map() };
    if (param) node.any = next;
    else node.named.set(segment, next);
    node = next;
  }
  node.routes ??= new Map();
  if (node.routes.has(method)) throw new Error(`${method} ${path} is declared twice`);
  node.routes.set(method, route);
}

/** The node of a path, and its parameters; a fixed segment wins over a parameter. */
export function findNode(root: Node, segments: readonly string[]): { node: Node; params: string[] } | undefined {
  const params: string[] = [];
  const descend = (node: Node, at: number): Node | undefined => {
    if (at === segments.length) return node.routes && node;
    const segment = segments[at]!;
    const named = node.named.get(segment);
    const found = named && descend(named, at + 1);
    if (found || !node.any || segment === '') return found;
    params.push(segment);
    const below = descend(node.any, at + 1);
    if (!below) params.pop();
    return below;
  };
  const node = descend(root, 0);
  return node && { node, params };
}

const hasBody = (method: Method): boolean => method !== 'GET' && method !== 'DELETE';

function toSnakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function fieldsOf(inputs: readonly z.ZodType[]): Map<string, Coercion> {
  return new Map(
    inputs.flatMap((input) => Object.entries(shapeOf(input))).map(([name, field]) => [name, coercionOf(field)]),
  );
}

interface Def {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  element?: z.ZodType;
  options?: z.ZodType[];
  shape?: Record<string, z.ZodType>;
}
const defOf = (schema: z.ZodType): Def => schema._zod.def as unknown as Def;

/** The schema under its optional, nullable and default wrappings, and before its pipes. */
function bare(schema: z.ZodType): Def {
  const def = defOf(schema);
  const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined);
  return inner ? bare(inner) : def;
}

export function shapeOf(schema: z.ZodType): Record<string, z.ZodType> {
  return bare(schema).shape ?? {};
}

function coercionOf(schema: z.ZodType): Coercion {
  const def = bare(schema);
  if (def.type === 'array') return { listOf: scalar(bare(def.element!)) };
  return scalar(def);
}

function scalar(def: Def): 'text' | 'number' | 'boolean' {
  return def.type === 'number' || def.type === 'boolean' ? def.type : 'text';
}
