import type { Mail } from '@rentapi/platform/mail';
import { asciiMailAddress } from '@rentapi/platform/mail-address';
import type { Context } from '../context.ts';
import type { RecordedEvent } from '../jobs/job.ts';

import type { MailText } from './mail-text.ts';

export interface MailContent {
  subject: MailText;
  paragraphs: MailText[];
  /** A path of ours: links are built from PUBLIC_URL, never from a request. */
  action?: { label: string; path: string };
  footnote?: MailText;
}

/**
 * One layout for every mail, as text and as HTML. The Message-ID comes from the event: a second try is the same mail.
 */
export function composeMail(ctx: Context, event: RecordedEvent<{ email: string }>, content: MailContent): Mail {
  const publicUrl = ctx.ports.env.PUBLIC_URL;
  const subject = content.subject.text;
  const paragraphs = content.paragraphs.map(({ text }) => text);
  const footnote = content.footnote?.text;
  const link = content.action && { label: content.action.label, url: publicUrl + content.action.path };
  const text = [...paragraphs, link && `${link.label}: ${link.url}`, footnote].filter(Boolean).join('\n\n');
  const html = [
    '<!doctype html><meta charset="utf-8"><div style="font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;color:#1a1a1a">',
    `<h1 style="font-size:1.25rem">${escapeHtml(subject)}</h1>`,
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    link &&
      `<p><a href="${escapeHtml(link.url)}" style="display:inline-block;padding:.6rem 1.2rem;border-radius:.5rem;background:#3b5bdb;color:#fff;text-decoration:none">${escapeHtml(link.label)}</a></p>`,
    footnote && `<p style="color:#666;font-size:.875rem">${escapeHtml(footnote)}</p>`,
    '</div>',
  ];
  return {
    to: asciiMailAddress(event.data.email),
    subject,
    text: `${text}\n`,
    html: html.filter(Boolean).join('\n'),
    messageId: `${ctx.ids.encode('evt', event.id)}@${new URL(publicUrl).hostname}`,
  };
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
