/** HTML that is safe to send. Only the `html` tag makes it, and it escapes the values put in. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type { Html };

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
