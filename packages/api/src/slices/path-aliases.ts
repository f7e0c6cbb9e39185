/** Second names of whole groups of paths, served as deprecated aliases. */
export const PATH_ALIASES = { '/organizations': '/tenants' };
