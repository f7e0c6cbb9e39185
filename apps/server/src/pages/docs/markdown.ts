import { type Html, html, trustedHtml } from '@rentapi/platform/html';
import { Marked, Renderer, type Tokens } from 'marked';

export interface Heading {
  level: number;
  id: string;
  text: string;
}

export interface RenderedMarkdown {
  html: Html;
  headings: Heading[];
}

/** Tables with more columns than this are too wide for a phone, and scroll. */
const STACKED_COLUMNS = 3;
const STATUS = /^[45]\d\d$/;

/**
 * Only for Markdown of this repository and of the contract, never for text from a request. HTML in it is shown as text.
 */
export function renderMarkdown(markdown: string): RenderedMarkdown {
  const headings: Heading[] = [];
  const slug = createSlugger();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }: Tokens.Heading) {
        const inner = trustedHtml(this.parser.parseInline(tokens));
        const text = this.parser.parseInline(tokens, this.parser.textRenderer);
        if (depth === 1) return html`<h1>${inner}</h1>\n`.text;
        const id = slug(text);
        headings.push({ level: depth, id, text: decodeEntities(text) });
        const link = html`<a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`;
        return `<h${depth} id="${id}">${html`${inner}${link}`.text}</h${depth}>\n`;
      },
      code: ({ text, lang }: Tokens.Code) => codeBlock(text, lang).text,
      codespan: ({ text }: Tokens.Codespan) =>
        html`<code${STATUS.test(text) ? html` class="status s${text.slice(0, 1)}"` : null}>${text}</code>`.text,
      table(token: Tokens.Table) {
        const table = trustedHtml(Renderer.prototype.table.call(this, token));
        const many = token.header.length > STACKED_COLUMNS;
        return html`<div class="scroll${many && ' many'}" tabindex="0" role="group" aria-label="Table">${table}</div>`
          .text;
      },
      html: ({ text }: Tokens.HTML | Tokens.Tag) => html`${text}`.text,
    },
  });
  return { html: trustedHtml(marked.parse(markdown, { async: false })), headings };
}

/** Keyboards can scroll it, and a script adds a button that copies it. */
export function codeBlock(text: string, language = ''): Html {
  const named = language === '' ? null : html` class="language-${language}"`;
  return html`<div class="command"><button type="button" data-copy hidden>Copy</button><pre tabindex="0"><code${named}>${text}</code></pre></div>`;
}

/** `[text](address)`; null keeps the text and drops its link. What is inside code blocks is left as it is. */
export function rewriteLinks(markdown: string, rewrite: (address: string) => string | null): string {
  return outsideCode(markdown, (text) =>
    text.replace(/\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g, (_, label: string, address: string) => {
      const rewritten = rewrite(address);
      return rewritten === null ? label : `[${label}](${rewritten})`;
    }),
  );
}

/** The plain words of Markdown, for the search. */
export function plainText(markdown: string): string {
  return rewriteLinks(markdown, () => null)
    .replace(/^```.*$/gm, '')
    .replace(/^\|.*\|\n\|[ :|-]+\|$/gm, '') // heads of tables
    .replace(/`([^`\n]+)`|[*`]+|[|#]+/g, (mark, code?: string) => code ?? (/[|#]/.test(mark) ? ' ' : ''))
    .replace(/\s+/g, ' ')
    .trim();
}

function outsideCode(markdown: string, change: (text: string) => string): string {
  const parts = markdown.split(/(^```[\s\S]*?^```$)/m);
  return parts.map((part, index) => (index % 2 === 1 ? part : change(part))).join('');
}

/** As GitHub makes them, so that links to headings work in the repository too. */
export function createSlugger(): (text: string) => string {
  const taken = new Map<string, number>();
  return (text) => {
    const slug = decodeEntities(text)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = taken.get(slug) ?? 0;
    taken.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
