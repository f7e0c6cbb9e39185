import type { Method } from './model.ts';

/** src/generated/cookies.gen.ts: a table, because calls over tRPC need it too. */
export function printCookies(methods: readonly Method[]): string {
  const rows = methods.flatMap(({ id, cookies }) => (cookies === null ? [] : `  '${id}': '${cookies}',\n`));
  return `// Written by scripts/generate.ts from docs/openapi.json; do not edit.

export type Cookies = 'asks' | 'carries' | 'always';

/**
 * Operations that set or read cookies: \`asks\` where \`cookie: true\` in the input asks for one, \`always\` where
 * nothing works without.
 */
export const COOKIE_OPERATIONS: Readonly<Record<string, Cookies>> = {
${rows.join('')}};
`;
}
