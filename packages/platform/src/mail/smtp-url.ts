import { isLoopbackHost } from '../ip.ts';

/** Whether mail may go out without TLS: the operator opted out, or the server is on this machine. */
export function mayBePlain(smtpUrl: string): boolean {
  const url = new URL(smtpUrl);
  return url.protocol === 'smtp:' && (isLoopbackHost(url.hostname) || url.searchParams.get('ignoreTLS') === 'true');
}

/**
 * The same URL, with which nodemailer sends nothing before the connection has TLS. It would otherwise go on in the
 * clear where the server (or an attacker in between) does not offer STARTTLS. Parameters of the URL win over
 * nodemailer's options.
 */
export function requireTls(smtpUrl: string): string {
  if (mayBePlain(smtpUrl)) return smtpUrl;
  const url = new URL(smtpUrl);
  url.searchParams.set('requireTLS', 'true');
  return url.href;
}
