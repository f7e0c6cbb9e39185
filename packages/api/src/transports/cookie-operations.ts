import type { AnyRouter } from '@trpc/server';
import type { RawRoute } from '../wire/raw-route.ts';
import { buildRoutes, findNode, operationsOf, type PathAliases } from './rest-routes.ts';

/** Whether a request is for an operation that sets or reads cookies; of a batch, whether all its calls are. */
export type CarriesCookies = (method: string, url: string) => boolean;

export function findCookieOperations(
  router: AnyRouter,
  rawRoutes: readonly RawRoute[],
  pathAliases: PathAliases,
): CarriesCookies {
  const operations = operationsOf(router, rawRoutes).filter(({ meta }) => meta.cookie);
  const names = new Set(operations.map(({ name }) => name));
  const root = buildRoutes(router, rawRoutes, pathAliases);

  return (method, url) => {
    const path = url.split('?', 1)[0]!;
    const called = /^\/trpc\/(.+)$/.exec(path)?.[1];
    if (called !== undefined) return called.split(/,|%2C/i).every((name) => names.has(name));
    const found = findNode(root, path.replace(/\/$/, '').slice(1).split('/'));
    const route = found?.node.routes?.get(method);
    return route !== undefined && names.has(route.procedure);
  };
}
