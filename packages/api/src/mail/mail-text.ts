/** Text that is safe in a mail. Only the `mailText` tag makes it, and it defuses the values put in. */
class MailText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type { MailText };

/** Our own text with other people's values in it: the values are quoted, cut, and contain no link. */
export function mailText(parts: TemplateStringsArray, ...values: string[]): MailText {
  return new MailText(parts.map((part, at) => (at === 0 ? '' : quoted(values[at - 1]!)) + part).join(''));
}

const MAX_QUOTED = 60;

/**
 * Mail programs turn `https://…`, `www.…`, `word.tld` and `name@word.tld` into links, and recipients trust our mails. A
 * space after each dot and colon keeps the text readable and breaks the address. Line breaks, and characters that
 * reorder or hide text, are removed first.
 */
function quoted(text: string): string {
  const plain = [
    ...text
      .normalize('NFKC')
      .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
      .replace(/[.。:](?=[\p{L}\p{N}/])/gu, '$& ')
      .replace(/\s+/g, ' ')
      .trim(),
  ];
  return `“${plain.length > MAX_QUOTED ? `${plain.slice(0, MAX_QUOTED).join('')}…` : plain.join('')}”`;
}
