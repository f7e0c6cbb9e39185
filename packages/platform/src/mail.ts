import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** RFC 5322 Message-ID without the brackets; the same for every try of the same mail. */
  messageId: string;
}

export interface Mailer {
  /** Resolves once the mail is accepted for good; otherwise throws, so that its job tries again. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

export interface CapturedMail extends Mail {
  id: string;
  sentAt: string;
}

export interface Mailbox {
  /** Newest first. */
  list(filter?: { to?: string }): Promise<CapturedMail[]>;
  get(id: string): Promise<CapturedMail | undefined>;
}

const MAX_KEPT = 500;

/** Keeps mail in a directory instead of sending it: one file a mail, shared by all processes, the newest 500. */
export function createCaptureMailer(dir: string, now: () => Date): Mailer & Mailbox {
  const names = async () => (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const read = async (name: string): Promise<CapturedMail | undefined> => {
    try {
      return JSON.parse(await readFile(path.join(dir, name), 'utf8'));
    } catch {
      return undefined; // deleted in the meantime
    }
  };
  return {
    async send(mail) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const sentAt = now().toISOString();
      const id = `${sentAt.replace(/\D/g, '')}-${randomUUID().slice(0, 8)}`; // sorts by time
      const file = path.join(dir, `${id}.json`);
      await writeFile(`${file}.part`, JSON.stringify({ id, sentAt, ...mail }), { mode: 0o600 });
      await rename(`${file}.part`, file);
      for (const old of (await names()).slice(0, -MAX_KEPT)) await rm(path.join(dir, old), { force: true });
    },
    async close() {},
    async list(filter) {
      const mails = await Promise.all((await names()).reverse().map(read));
      return mails.filter((mail) => mail !== undefined).filter((mail) => !filter?.to || mail.to === filter.to);
    },
    async get(id) {
      return /^[\w-]+$/.test(id) ? read(`${id}.json`) : undefined;
    },
  };
}
