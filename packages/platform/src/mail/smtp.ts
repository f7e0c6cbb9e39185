import { createTransport } from 'nodemailer';
import type { Mailer } from '../mail.ts';
import { requireTls } from './smtp-url.ts';

export interface SmtpOptions {
  /**
   * `smtp://user:password@host:587`, which insists on STARTTLS except on this machine (`?ignoreTLS=true` opts out), or
   * `smtps://…:465`.
   */
  url: string;
  /** `Name <address>`. */
  from: string;
  /** The longest silence: while connecting, greeting, answering. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 5;

/** Sends mail through an SMTP server. A refused recipient, or any other refusal, is an error. */
export function createSmtpMailer({ url, from, timeoutMs = TIMEOUT_MS }: SmtpOptions): Mailer {
  const transport = createTransport({
    url: requireTls(url),
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    maxRequeues: 0, // the job that sends decides whether to try again
    connectionTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // Nothing in a mail may name a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, messageId }) {
      await transport.sendMail({
        from,
        to: { name: '', address: to }, // one recipient, whatever commas it holds
        subject,
        text,
        html,
        messageId: `<${messageId}>`,
      });
    },
    close: async () => transport.close(),
  };
}
