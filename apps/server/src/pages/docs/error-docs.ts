import type { DescribedContract, DescribedError, DescribedOperation } from '@rentapi/api/transports/describe-contract';
import { cell, code, type DocPage, json, paragraphs, table } from './doc-page.ts';

const EXAMPLE_REQUEST_ID = '1f6ad9c2-7c31-4c3e-9d5e-0b8a2f4c6e10';

export function errorPages({ errors, operations }: DescribedContract, publicUrl: string): DocPage[] {
  const parent = { path: '/docs/errors', title: 'Errors' };
  return [
    {
      path: parent.path,
      title: parent.title,
      summary: 'Each error code, what it means and whether to retry.',
      section: 'Errors',
      kind: 'Errors',
      found: { words: 'Every error code: status, meaning, retry.' },
      markdown: errorList(errors),
    },
    ...errors.map(
      (error): DocPage => ({
        path: errorPath(error.code),
        title: error.code,
        summary: `${error.title}. ${error.meaning}`,
        section: 'Errors',
        kind: 'Error',
        found: { words: `${error.status} ${error.title}. ${error.meaning} ${error.fix}` },
        parent,
        markdown: errorPage(error, operations, publicUrl),
      }),
    ),
  ];
}

export const errorPath = (code: string): string => `/docs/errors/${code}`;

function errorList(errors: readonly DescribedError[]): string {
  const sorted = [...errors].sort((a, b) => a.status - b.status || a.code.localeCompare(b.code, 'en'));
  return paragraphs(
    '# Errors',
    'A failed request answers `application/problem+json` (RFC 9457). Programs should look at `code`: it never changes, ' +
      'while the sentences may. Quote `requestId` when you ask for help.',
    table(
      ['Code', 'Status', 'What it means'],
      sorted.map(({ code, status, meaning }) => [`[\`${code}\`](${errorPath(code)})`, `\`${status}\``, cell(meaning)]),
    ),
  );
}

function errorPage(error: DescribedError, operations: readonly DescribedOperation[], publicUrl: string): string {
  return paragraphs(
    `# \`${error.code}\``,
    `\`${error.status}\` ${error.title}`,
    '## What it means',
    error.meaning,
    '## How to fix it',
    error.fix,
    '## Should you send it again?',
    RETRY[error.retry],
    '## What you receive',
    json(problemExample(error, publicUrl)),
    '`detail` can say more about the one request, and `requestId` identifies it in the log of the server. It is also in the ' +
      '`X-Request-Id` header. Over tRPC the same object is `error.data.problem`.',
    '## In the SDK',
    `[\`@rentapi/sdk\`](/docs/sdk#errors) throws ${article(error.sdkClass)} \`${error.sdkClass}\`.`,
    code('ts', sdkSnippet(error)),
    '## Operations that answer it',
    operationsOf(error, operations),
  );
}

const RETRY: Record<DescribedError['retry'], string> = {
  no: '**No.** The same request fails again until something is changed.',
  yes:
    '**Yes**, after a short pause that grows with each try. Send changes with an `Idempotency-Key`, so that they happen once. ' +
    'The SDK does both by itself.',
  after:
    '**After a while.** Wait for the seconds in the `Retry-After` header, then send the same request. The SDK waits by itself ' +
    'where it is a minute or less.',
};

function problemExample({ code, status, title, fix }: DescribedError, publicUrl: string) {
  return {
    type: `${publicUrl}${errorPath(code)}`,
    title,
    status,
    detail: fix,
    code,
    requestId: EXAMPLE_REQUEST_ID,
    ...(code === 'invalid_input' && { errors: [{ path: 'name', message: 'is required' }] }),
  };
}

function sdkSnippet({ code, sdkClass, retry }: DescribedError): string {
  const known = code === 'invalid_input' ? 'error.errors' : retry === 'after' ? 'error.retryAfter' : 'error.message';
  return [
    `import { ${sdkClass} } from '@rentapi/sdk';`,
    '',
    'try {',
    '  // a call of the client',
    '} catch (error) {',
    `  if (!(error instanceof ${sdkClass}) || error.code !== '${code}') throw error;`,
    `  console.warn(${known}, error.requestId);`,
    '}',
  ].join('\n');
}

function operationsOf(error: DescribedError, operations: readonly DescribedOperation[]): string {
  const answers = new Set(error.operations);
  const [answering, others] = [true, false].map((does) => operations.filter(({ id }) => answers.has(id) === does));
  if (!answering || answering.length === 0) return 'None: it comes before an operation is found, or on a socket.';
  if (!others || others.length === 0) return 'All of them.';
  // The shorter list says as much.
  return others.length < answering.length
    ? paragraphs(`All ${operations.length} but these:`, operationList(others))
    : operationList(answering);
}

function operationList(operations: readonly DescribedOperation[]): string {
  return operations
    .map(({ id, method, path, summary }) => `- [\`${id}\`](/docs/operations/${id}): ${summary} (\`${method} ${path}\`)`)
    .join('\n');
}

const article = (noun: string): string => (/^[AEIOU]/.test(noun) ? 'an' : 'a');
