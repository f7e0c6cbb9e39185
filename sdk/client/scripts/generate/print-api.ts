import type { Method } from './model.ts';

/** api.md: every method with its answer. */
export function printApi(methods: readonly Method[]): string {
  const sections = new Map<string, Method[]>();
  for (const method of methods) {
    const group = method.id.slice(0, method.id.lastIndexOf('.'));
    sections.set(group, [...(sections.get(group) ?? []), method]);
  }
  const text = [...sections].map(([group, list]) => {
    const lines = list.map((method) => {
      const call = `client.${method.id}(${method.paramsType === 'NoParams' ? '' : method.paramsRequired ? '{ … }' : '{ …? }'})`;
      return `- \`${call}\` → \`${method.answerLabel}\`${method.docs[0] ? ` — ${method.docs[0]}` : ''} (\`${method.http} ${method.path}\`)`;
    });
    return `## ${group}\n\n${lines.join('\n')}\n`;
  });
  return `# Every method\n\nWritten from the OpenAPI document by \`pnpm generate\`; do not edit. The parameters of \`client.apiKeys.create\` are the type\n\`ApiKeysCreateParams\`. All calls take options as second argument (\`RequestOptions\`).\n\n${text.join('\n')}`;
}
