import { isIP } from 'node:net';
import { formatMoney, type Money } from '../contract/money.ts';

/** Text that is safe in a mail. Only the `mailText` tag makes it, and it defuses the values put in. */
class MailText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type { MailText };

type Value = string | number | Date | MailText;

/** Our own text with other people's values in it: text is quoted, cut, and contains no link. */
export function mailText(parts: TemplateStringsArray, ...values: Value[]): MailText {
  return new MailText(parts.map((part, at) => (at === 0 ? '' : written(values[at - 1]!)) + part).join(''));
}

/** A network address as it is, which is no link. */
export function mailIp(address: string): MailText {
  return isIP(address) ? new MailText(address) : mailText`${address}`;
}

/** An amount of money as it is, which is no link either. */
export function mailMoney(money: Money): MailText {
  return new MailText(formatMoney(money));
}

function written(value: Value): string {
  if (typeof value === 'string') return quoted(value);
  if (value instanceof MailText) return value.text;
  return value instanceof Date ? MOMENT.format(value) : String(value);
}

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});

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
