import MiniSearch from 'minisearch';
import { QUERY_LENGTH } from '../layout.ts';
import type { DocPage } from './doc-page.ts';
import { createSlugger, plainText } from './markdown.ts';

export interface SearchResult {
  /** `Guide`, `Error`, `Operation`. */
  kind: string;
  title: string;
  url: string;
  excerpt: string;
}

export type Search = (query: string) => SearchResult[];

const MAX_TERMS = 8;
const MAX_RESULTS = 30;
const EXCERPT_LENGTH = 180;

interface Entry {
  id: number;
  kind: string;
  title: string;
  url: string;
  text: string;
}

/** The index is made of our own pages, and a query costs as much as its first words: both are bounded. */
export function createSearch(pages: readonly DocPage[]): Search {
  const entries = pages.flatMap(entriesOf).map((entry, id) => ({ ...entry, id }));
  const index = new MiniSearch<Entry>({
    fields: ['title', 'text'],
    searchOptions: { boost: { title: 4 }, prefix: true, fuzzy: 0.15, maxFuzzy: 2 },
    tokenize: wordsOf,
  });
  index.addAll(entries);
  return (query) => {
    const words = wordsOf(query.slice(0, QUERY_LENGTH)).slice(0, MAX_TERMS);
    if (words.length === 0) return [];
    const find = (combineWith: 'AND' | 'OR') => index.search(words.join(' '), { combineWith });
    const all = find('AND');
    return (all.length > 0 ? all : find('OR')).slice(0, MAX_RESULTS).flatMap(({ id }) => {
      const entry = entries[id];
      if (!entry) return [];
      const { kind, title, url, text } = entry;
      return [{ kind, title, url, excerpt: excerptOf(text, words) }];
    });
  };
}

/** A page, or each of its chapters. */
function entriesOf(page: DocPage): Omit<Entry, 'id'>[] {
  const { kind, title, path, markdown, found } = page;
  if (found !== 'by chapter') return [{ kind, title, url: path, text: plainText(found.words) }];
  const slug = createSlugger();
  const [opening = '', ...chapters] = markdown.split(/^## /m);
  return [
    { kind, title, url: path, text: plainText(opening.replace(/^# .*\n/, '')) },
    ...chapters.map((chapter) => {
      const [heading = '', ...rest] = chapter.split('\n');
      const name = plainText(heading);
      return { kind: kindOf(page), title: name, url: `${path}#${slug(name)}`, text: plainText(rest.join('\n')) };
    }),
  ];
}

/** `SDK: Every method`, but not `Event: Events`. */
function kindOf({ kind, title }: DocPage): string {
  return title.startsWith(kind) ? title : `${kind}: ${title}`;
}

/** `api_key.created` and `apiKeys.create` are found by each of their words. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function excerptOf(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  const at = words.map((word) => lower.indexOf(word)).filter((position) => position >= 0);
  const from = at.length > 0 ? Math.max(0, Math.min(...at) - 40) : 0;
  const start = from === 0 ? 0 : text.indexOf(' ', from) + 1;
  const end = start + EXCERPT_LENGTH;
  return `${start > 0 ? '… ' : ''}${text.slice(start, end).trim()}${end < text.length ? ' …' : ''}`;
}
