import type { MailPreview } from '@rentapi/api/mail-previews';
import { type Html, html } from '@rentapi/platform/html';
import type { CapturedMail, Mail } from '@rentapi/platform/mail';
import { layout, type Site } from './layout.ts';

export function mailList(site: Site, mails: CapturedMail[], to: string): string {
  const none = to === '' ? 'Nothing has been sent yet.' : 'Nothing has been sent to this address.';
  return layout(site, {
    title: 'Captured mail · RentAPI',
    main: html`
      <h1>Captured mail</h1>
      <p class="lead">Nothing leaves this machine: what the server would have mailed is kept here, newest first. Programs
        read it at <a href="/dev/mail.json">/dev/mail.json</a>, with <code>?to=</code> for one address. <a href="/dev/mail/kinds">Every kind of mail</a> is shown with example data.</p>
      ${to === '' ? null : html`<p>Only to <strong>${to}</strong>. <a href="/dev/mail">Show all</a></p>`}
      ${
        mails.length === 0
          ? html`<p class="empty">${none}</p>`
          : html`<div class="scroll"><table>
        <thead><tr><th>Subject</th><th>To</th><th>Sent</th></tr></thead>
        <tbody>${mails.map(
          (mail) => html`
          <tr>
            <td><a href="/dev/mail/${encodeURIComponent(mail.id)}">${mail.subject}</a></td>
            <td><a class="quiet" href="/dev/mail?to=${encodeURIComponent(mail.to)}">${mail.to}</a></td>
            <td class="quiet">${sentAt(mail)}</td>
          </tr>`,
        )}
        </tbody>
      </table></div>`
      }`,
  });
}

export function mailView(site: Site, mail: CapturedMail): string {
  return mailPage(site, mail, {
    path: `/dev/mail/${encodeURIComponent(mail.id)}`,
    crumb: html`<a href="/dev/mail">Captured mail</a>`,
    lead: html`To <strong>${mail.to}</strong>, ${sentAt(mail)}`,
  });
}

export function mailKindList(site: Site, kinds: readonly MailPreview[]): string {
  return layout(site, {
    title: 'Kinds of mail · RentAPI',
    main: html`
      <p class="crumb"><a href="/dev/mail">Captured mail</a></p>
      <h1>Kinds of mail</h1>
      <p class="lead">Every mail that the server sends, with example data. Nothing of it has happened, and its links lead nowhere.</p>
      <div class="scroll"><table>
        <thead><tr><th>Subject</th><th>When</th><th>Job</th></tr></thead>
        <tbody>${kinds.map(
          ({ name, cause, mail }) => html`
          <tr>
            <td><a href="/dev/mail/kinds/${encodeURIComponent(name)}">${mail.subject}</a></td>
            <td>${cause}</td>
            <td class="quiet"><code>${name}</code></td>
          </tr>`,
        )}
        </tbody>
      </table></div>`,
  });
}

export function mailKindView(site: Site, { name, cause, mail }: MailPreview): string {
  return mailPage(site, mail, {
    path: `/dev/mail/kinds/${encodeURIComponent(name)}`,
    crumb: html`<a href="/dev/mail/kinds">Kinds of mail</a>`,
    lead: html`${cause} An example.`,
  });
}

function mailPage(site: Site, mail: Mail, { path, crumb, lead }: { path: string; crumb: Html; lead: Html }): string {
  const links = [...new Set(mail.text.match(webAddress) ?? [])];
  return layout(site, {
    title: `${mail.subject} · Captured mail`,
    main: html`
      <p class="crumb">${crumb}</p>
      <h1>${mail.subject}</h1>
      <p class="lead">${lead}</p>
      ${links.length === 0 ? null : html`<ul class="links">${links.map((link) => html`<li>${anchor(link)}</li>`)}</ul>`}
      <h2>As it looks</h2>
      <iframe title="The mail's HTML" src="${path}/body"
        sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe>
      <h2>As text</h2>
      <pre class="mail" tabindex="0">${linked(mail.text)}</pre>`,
  });
}

export function noSuchMail(site: Site): string {
  return layout(site, {
    title: 'No such mail · RentAPI',
    main: html`<h1>No such mail</h1><p><a href="/dev/mail">Captured mail</a></p>`,
  });
}

/** The one page that is not escaped: it is shown without scripts and without an origin. Links open in a new tab. */
export function mailBody(mail: Pick<Mail, 'html'>): string {
  return `<!doctype html><base target="_blank">${mail.html}`;
}

const webAddress = /https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]/g;

function linked(text: string): Html {
  let from = 0;
  const parts: (string | Html)[] = [];
  for (const match of text.matchAll(webAddress)) {
    parts.push(text.slice(from, match.index), anchor(match[0]));
    from = match.index + match[0].length;
  }
  return html`${[...parts, text.slice(from)]}`;
}

function anchor(address: string): Html {
  return html`<a href="${address}" rel="noreferrer">${address}</a>`;
}

function sentAt(mail: CapturedMail): Html {
  return html`<time datetime="${mail.sentAt}">${mail.sentAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`;
}
