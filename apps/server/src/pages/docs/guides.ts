import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { DOCUMENTS_ROOT } from '../../files.ts';
import { code, type DocPage, paragraphs } from './doc-page.ts';
import { plainText, rewriteLinks } from './markdown.ts';

/** Directories of Markdown: for callers, and for who runs a server. */
const GUIDES = 'docs/guides';
const RUNBOOKS = 'docs/runbooks';
const index = { path: '/docs/guides', title: 'Guides' };
/** How the READMEs of the packages link to files of the repository, because they are read on npm too. */
const REPOSITORY = /^https:\/\/github\.com\/rentapi\/rentapi\/(?:blob|tree)\/main\//;

interface Source {
  /** The file, from the root of the repository. */
  file: string;
  page: Omit<DocPage, 'title' | 'summary' | 'markdown'>;
  /** What is shown of the file, if not all of it. */
  take?: (text: string) => string;
}

/** The guides and the READMEs of the two packages, with the address of this server filled in. */
export function guidePages(publicUrl: string): DocPage[] {
  const sources = listSources();
  const pathOf = new Map(sources.map(({ file, page }) => [file, page.path]));
  return sources.map(({ file, page, take }) => {
    const text = readFileSync(new URL(file, DOCUMENTS_ROOT), 'utf8');
    const whole = withoutComments(take ? take(text) : text);
    // What an operator writes into the settings of a server is not the address of this one.
    const filled = file.startsWith(RUNBOOKS) ? whole : withAddress(whole, publicUrl);
    const markdown = rewriteLinks(filled, (address) => resolveLink(file, address, pathOf));
    return { ...page, ...titleAndSummary(markdown), markdown };
  });
}

function listSources(): Source[] {
  const sdk = { path: '/docs/sdk', title: 'SDK' };
  return [
    ...[GUIDES, RUNBOOKS].flatMap(guidesIn),
    {
      file: 'README.md',
      page: {
        path: `${index.path}/quickstart`,
        section: 'Guides',
        kind: 'Guide',
        parent: index,
        found: 'by chapter',
      },
      take: (readme) => section(readme, 'Call it').replace(/^.*\n/, '# Quickstart\n'),
    },
    { file: 'sdk/client/README.md', page: { path: '/docs/sdk', section: 'SDK', kind: 'SDK', found: 'by chapter' } },
    {
      file: 'sdk/client/api.md',
      page: { path: '/docs/sdk/methods', section: 'SDK', kind: 'SDK', parent: sdk, found: 'by chapter' },
    },
    {
      file: 'examples/quickstart/main.ts',
      page: { path: '/docs/sdk/example', section: 'SDK', kind: 'SDK', parent: sdk, found: 'by chapter' },
      take: (program) =>
        paragraphs('# A whole program', 'From a login to events as they happen.', code('ts', program.trim())),
    },
    {
      file: 'sdk/contract/README.md',
      page: { path: '/docs/trpc', section: 'tRPC', kind: 'tRPC', found: 'by chapter' },
    },
  ];
}

/** `docs/runbooks/backup.md` is `/docs/runbooks/backup`; the README of the guides is the index of both. */
function guidesIn(directory: string): Source[] {
  const page = { section: 'Guides', kind: 'Guide', found: 'by chapter' } as const;
  const names = readdirSync(new URL(`${directory}/`, DOCUMENTS_ROOT)).filter((name) => name.endsWith('.md'));
  return names.sort().map((name) => {
    const file = `${directory}/${name}`;
    if (file === `${GUIDES}/README.md`) return { file, page: { ...page, path: index.path } };
    return { file, page: { ...page, path: `/${file.slice(0, -'.md'.length)}`, parent: index } };
  });
}

/** A chapter of a document, with its heading. */
function section(text: string, heading: string): string {
  const from = text.indexOf(`\n## ${heading}\n`) + 1;
  const end = text.indexOf('\n## ', from);
  return text.slice(from, end === -1 ? undefined : end + 1);
}

/** The documents name a server on this machine, or an example. */
function withAddress(text: string, publicUrl: string): string {
  const socketUrl = publicUrl.replace(/^http/, 'ws');
  return text
    .replace(/https?:\/\/(?:localhost:8000|api\.example\.com)\b/g, publicUrl)
    .replace(/wss?:\/\/(?:localhost:8000|api\.example\.com)\b/g, socketUrl);
}

function withoutComments(text: string): string {
  return text.replace(/^<!--.*?-->\n+/gms, '');
}

/** Links between documents lead to their pages. What is in the repository only has none, and keeps its text. */
function resolveLink(from: string, address: string, pathOf: ReadonlyMap<string, string>): string | null {
  const isAbsolute = REPOSITORY.test(address);
  if (!isAbsolute && /^(?:[a-z]+:|\/|#)/.test(address)) return address;
  const [file = '', anchor] = address.replace(REPOSITORY, '').split('#');
  const target = isAbsolute ? file : posix.join(posix.dirname(from), file);
  const path = pathOf.get(target);
  if (!path) return null;
  // Of README.md, only one chapter is a page.
  return anchor && target !== 'README.md' ? `${path}#${anchor}` : path;
}

function titleAndSummary(markdown: string): { title: string; summary: string } {
  const [title = '', ...rest] = markdown.split('\n');
  const paragraph = rest.join('\n').trim().split(/\n\n/)[0] ?? '';
  const [sentence = ''] = plainText(paragraph).match(/^.*?[.:](?= |$)/) ?? [];
  return { title: plainText(title), summary: sentence.replace(/:$/, '.') };
}
