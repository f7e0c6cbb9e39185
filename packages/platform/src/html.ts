/** HTML that is safe to send: the `html` tag makes it, and escapes the values put in. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type { Html };

/** For what a renderer has made of our own text, and escaped. Never for anything from a request. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

type Value = string | number | Html | null | false | readonly Value[];

/** Attributes must be quoted in the template: the escaping is for text and for quoted values. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.map((part, index) => (index === 0 ? '' : render(values[index - 1] ?? null)) + part).join(''));
}

function render(value: Value): string {
  if (value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
