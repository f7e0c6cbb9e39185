import type { Section } from '../layout.ts';

/** One page of the documentation. It is written as Markdown, and served as that and as HTML. */
export interface DocPage {
  /** `/docs/errors/not_found`; its Markdown has `.md` after it. */
  path: string;
  title: string;
  /** One sentence, for lists and search. */
  summary: string;
  section: Section;
  /** What the search calls it: `Guide`, `Error`. */
  kind: string;
  /** The page above it, if not the section itself. */
  parent?: { path: string; title: string };
  /** Links begin with `/` or with a scheme. */
  markdown: string;
  /** How the search finds it: each chapter by itself, or the page by these words. */
  found: 'by chapter' | { words: string };
}

/** Text in a cell of a Markdown table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

export function table(head: string[], rows: readonly string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function code(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

/** Joins what there is; each part is a paragraph, a heading, a table or a block of code. */
export function paragraphs(...parts: (string | false | null | undefined)[]): string {
  return `${parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n')}\n`;
}

export const json = (value: unknown): string => code('json', JSON.stringify(value, null, 2));
