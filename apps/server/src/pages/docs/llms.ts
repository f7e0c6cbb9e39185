import type { DescribedContract } from '@rentapi/api/transports/describe-contract';
import type { DocPage } from './doc-page.ts';
import { errorPath } from './error-docs.ts';
import { operationPath } from './operation-docs.ts';

/** An index for programs that read (llmstxt.org): each line leads to a page of Markdown. */
export function llmsIndex(pages: readonly DocPage[], contract: DescribedContract, publicUrl: string): string {
  const link = (title: string, path: string) => `[${title}](${publicUrl}${path}.md)`;
  const pageLine = ({ title, path, summary }: DocPage) => `- ${link(title, path)}: ${summary}`;
  const documents = pages.filter(({ kind }) => ['Guide', 'SDK', 'tRPC'].includes(kind));
  const tables = pages.filter(({ path }) => ['/docs/permissions', '/docs/events', '/docs/errors'].includes(path));
  return [
    '# RentAPI',
    '',
    '> Identity, organizations, API keys, limits, events and audit behind one contract: a REST API with an OpenAPI document, ' +
      'typed tRPC, the npm package `@rentapi/sdk`, and a realtime socket.',
    '',
    `The server is at ${publicUrl}. Every page below \`/docs\` is Markdown with \`.md\` after its address, or with ` +
      `\`Accept: text/markdown\`; \`${publicUrl}/docs/search.json?q=\` searches them. A program sends its key as \`X-API-Key\`; ` +
      'errors are `application/problem+json` with a `code` to branch on.',
    '',
    '## Guides',
    '',
    ...documents.map(pageLine),
    '',
    '## Tables',
    '',
    ...tables.map(pageLine),
    `- [OpenAPI document](${publicUrl}/openapi.json): every operation, for generators.`,
    `- [AsyncAPI document](${publicUrl}/asyncapi.json): every message of the sockets and webhooks, for generators.`,
    '',
    '## Operations',
    '',
    ...contract.operations.map(
      ({ id, method, path, summary, needs }) =>
        `- ${link(id, operationPath(id))}: \`${method} ${path}\`. ${summary}. ${needs}`,
    ),
    '',
    '## Events',
    '',
    ...contract.events.map(
      ({ name, description, permission }) => `- \`${name}\`: ${description} Needs \`${permission}\`.`,
    ),
    '',
    '## Errors',
    '',
    ...contract.errors.map(
      ({ code, status, title, retry }) => `- ${link(code, errorPath(code))}: ${status}. ${title}. Retry: ${retry}.`,
    ),
    '',
  ].join('\n');
}
