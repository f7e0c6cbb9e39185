import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  to: string;
  subject: string;
  messageId: string;
  /** On the clock of `performance.now()`. */
  at: number;
}

/** A mail server. While it is held it accepts mails but does not say so, so that the jobs that mail are under way. */
export interface Mailbox {
  url: string;
  mails: readonly ReceivedMail[];
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  let held: (() => void)[] | undefined;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData(stream, session, done) {
      void text(stream).then((raw) => {
        const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(raw)?.[1]?.trim() ?? '';
        for (const { address } of session.envelope.rcptTo)
          mails.push({
            to: address,
            subject: header('Subject'),
            messageId: header('Message-ID'),
            at: performance.now(),
          });
        if (held) held.push(done);
        else done();
      }, done);
    },
  });
  server.on('error', () => {}); // of clients that are killed
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}?ignoreTLS=true`,
    mails,
    hold: () => void (held ??= []),
    release() {
      for (const done of held?.splice(0) ?? []) done();
      held = undefined;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
