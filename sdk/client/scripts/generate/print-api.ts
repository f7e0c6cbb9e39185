import type { Method } from './model.ts';

/** api.md: every method with what it answers and needs. */
export function printApi(methods: readonly Method[]): string {
  const sections = new Map<string, Method[]>();
  for (const method of methods) {
    const group = method.id.slice(0, method.id.lastIndexOf('.'));
    sections.set(group, [...(sections.get(group) ?? []), method]);
  }
  const text = [...sections].map(([group, list]) => {
    const rows = list.map((method) => {
      const call = `client.${method.id}(${method.paramsType === 'NoParams' ? '' : method.paramsRequired ? '{…}' : '{…?}'})`;
      const what = `${method.docs[0] ?? ''} (\`${method.http} ${method.path}\`)`.trimStart();
      return `| \`${call}\` → \`${method.answerLabel}\` | ${method.needs} | ${what} |`;
    });
    return `## ${group}\n\n| call → answer | needs | what it does |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `<!-- Written from docs/openapi.json by \`npm run contract\`: do not edit. -->\n\n# Every method\n\nThe parameters of \`client.apiKeys.create\` are the type \`ApiKeysCreateParams\`. All calls take options as\nsecond argument (\`RequestOptions\`). A permission such as \`api_keys:read\` is held by a user through roles, and by an API key as a\nscope.\n\n${text.join('\n')}`;
}
