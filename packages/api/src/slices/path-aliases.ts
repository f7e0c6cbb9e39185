/** Second names of whole families of paths, served as deprecated aliases. */
export const PATH_ALIASES = { '/organizations': '/tenants' };
