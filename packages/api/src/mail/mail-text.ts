/** Text that may stand in a mail. Only the `mailText` tag makes it, and it defuses whatever is put in. */
class MailText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type { MailText };

/** Our own words with others' between them: theirs are quoted, cut, and link to nothing. */
export function mailText(parts: TemplateStringsArray, ...values: string[]): MailText {
  return new MailText(parts.map((part, at) => (at === 0 ? '' : quoted(values[at - 1]!)) + part).join(''));
}

const MAX_QUOTED = 60;

/**
 * Mail programs make links of `https://…`, `www.…`, `word.tld` and `name@word.tld`, and what we send is trusted as
 * ours. A space after each dot and colon leaves it readable, and no address. Line breaks, and characters that turn or
 * hide text, go first.
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
