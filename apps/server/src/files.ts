/** Whether this is the output of `npm run build`, where every file lies beside the program, or the sources. */
export const isBuilt = !import.meta.filename.endsWith('.ts');

export const OPENAPI_FILE: URL = locate('./openapi.json', '../../../docs/openapi.json');
export const ASYNCAPI_FILE: URL = locate('./asyncapi.json', '../../../docs/asyncapi.json');
/** A directory: the scripts, styles and pictures of our pages; in a build also the bundles of the two references. */
export const ASSETS: URL = locate('./assets/', './pages/assets/');
/** A directory: the guides and READMEs that the server shows, each at its place in the repository. */
export const DOCUMENTS_ROOT: URL = locate('./documents/', '../../../');

function locate(inBuild: string, inSources: string): URL {
  return new URL(isBuilt ? inBuild : inSources, import.meta.url);
}
