import { html } from '@rentapi/platform/html';
import type { Mail } from '@rentapi/platform/mail';
import { asciiMailAddress } from '@rentapi/platform/mail-address';
import type { Context } from '../context.ts';
import type { RecordedEvent } from '../jobs/job.ts';
import type { MailText } from './mail-text.ts';

export interface MailContent {
  subject: MailText;
  paragraphs: MailText[];
  /** A path of this server, built from PUBLIC_URL, or a page of a provider: never an address from a request. */
  action?: { label: string } & ({ path: string } | { providerUrl: string });
  footnote?: MailText;
}

/**
 * Inline, because mail programs ignore style sheets. Text has the program's own colour, so that it can be read on a
 * dark background too; only the button has both colours.
 */
const STYLES = {
  mail: 'font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto',
  title: 'font-size:1.25rem',
  button:
    'display:inline-block;padding:.6rem 1.2rem;border-radius:.5rem;background:#3b5bdb;color:#fff;text-decoration:none',
  footnote: 'opacity:.75;font-size:.875rem',
};

/** One layout for every mail, as text and as HTML. */
export function renderMail(publicUrl: string, content: MailContent): Pick<Mail, 'subject' | 'text' | 'html'> {
  const subject = content.subject.text;
  const paragraphs = content.paragraphs.map(({ text }) => text);
  const footnote = content.footnote?.text;
  const link = content.action && { label: content.action.label, url: addressOf(publicUrl, content.action) };
  const text = [...paragraphs, link && `${link.label}: ${link.url}`, footnote].filter(Boolean).join('\n\n');
  const body = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark"><title>${subject}</title></head><body><div style="${STYLES.mail}">
<h1 style="${STYLES.title}">${subject}</h1>
${paragraphs.map((paragraph) => html`<p>${paragraph}</p>\n`)}
${link ? html`<p><a href="${link.url}" style="${STYLES.button}">${link.label}</a></p>` : null}
${footnote ? html`<p style="${STYLES.footnote}">${footnote}</p>` : null}
</div></body></html>`;
  return { subject, text: `${text}\n`, html: body.text };
}

const addressOf = (publicUrl: string, action: { path: string } | { providerUrl: string }): string =>
  'path' in action ? publicUrl + action.path : action.providerUrl;

/** The Message-ID is made from the event, so a retry sends the same mail. */
export function composeMail(ctx: Context, event: RecordedEvent<{ email: string }>, content: MailContent): Mail {
  const publicUrl = ctx.ports.env.PUBLIC_URL;
  return {
    to: asciiMailAddress(event.data.email),
    ...renderMail(publicUrl, content),
    messageId: `${ctx.ids.encode('evt', event.id)}@${new URL(publicUrl).hostname}`,
  };
}
