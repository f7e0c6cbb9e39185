/**
 * The files of this repository that the server shows: a build copies them. Each is the name of a file or a directory
 * below `DOCUMENTS_ROOT`.
 */
export const DOCUMENTS = [
  'README.md',
  'docs/guides',
  'docs/runbooks',
  'examples/quickstart/main.ts',
  'sdk/client/README.md',
  'sdk/client/api.md',
  'sdk/contract/README.md',
] as const;
