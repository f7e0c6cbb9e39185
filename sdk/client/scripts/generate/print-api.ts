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
      const call = `client.${method.id}(${method.paramsType === 'NoParams' ? '' : method.paramsRequired ? '{ … }' : '{ …? }'})`;
      const what = `${method.docs[0] ?? ''} (\`${method.http} ${method.path}\`)`.trimStart();
      return `| \`${call}\` | \`${method.answerLabel}\` | ${method.needs} | ${what} |`;
    });
    return `## ${group}\n\n| call | answers | needs | what it does |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Every method\n\nWritten from the OpenAPI document by \`pnpm generate\`; do not edit. The parameters of \`client.apiKeys.create\` are the type\n\`ApiKeysCreateParams\`. All calls take options as second argument (\`RequestOptions\`). A permission such as \`api_keys:read\` is held by\na user through roles, and by an API key as a scope.\n\n${text.join('\n')}`;
}
