/**
 * The namespaces of the cache. Values in it may be lost at any time and are computed again, so an operator may clear
 * each. A slice asks for its own with `ctx.ports.cache.namespace(…)`.
 */
export const CACHE_NAMESPACES = {
  meters: "The meters of each organization: the key is the organization's id.",
} as const;

export type CacheNamespace = keyof typeof CACHE_NAMESPACES;
