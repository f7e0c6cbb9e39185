import type { Mailer } from '../mail.ts';

export interface ResendOptions {
  apiKey: string;
  /** `Name <address>`, of a domain verified with Resend. */
  from: string;
  baseUrl: string;
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_KEY_LENGTH = 256;
const MAX_REASON_LENGTH = 300;

/** Sends mail through Resend. The same mail twice is one mail: its Message-ID is the idempotency key. */
export function createResendMailer({ apiKey, from, baseUrl, timeoutMs = TIMEOUT_MS }: ResendOptions): Mailer {
  return {
    async send({ to, subject, text, html, messageId }) {
      const response = await fetch(`${baseUrl}/emails`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${apiKey}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': messageId.slice(0, MAX_KEY_LENGTH),
        },
        body: JSON.stringify({ from, to: [to], subject, text, html, headers: { 'Message-ID': `<${messageId}>` } }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = await response.text();
      if (response.ok || wasTakenBefore(response.status, answer)) return;
      throw new Error(`Resend answered ${response.status}: ${answer.slice(0, MAX_REASON_LENGTH)}`);
    },
    async close() {},
  };
}

/**
 * A job that runs again makes a new link, so its mail differs under the same key: Resend has the first one, whose link
 * is valid, and only its answer was lost.
 */
function wasTakenBefore(status: number, answer: string): boolean {
  return status === 409 && answer.includes('invalid_idempotent_request');
}
