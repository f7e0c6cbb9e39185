import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { createResendMailer } from './mail/resend.ts';
import { createSmtpMailer } from './mail/smtp.ts';
import type { Mail, Mailer } from './mail.ts';

const FROM = 'RentAPI <no-reply@rentapi.example>';
const mail: Mail = {
  to: 'zoë@example.com',
  subject: 'Bestätigen Sie – 确认',
  text: 'Hello.\n.\nThe line above is a lone dot.\n',
  html: '<p>Hello.</p>',
  messageId: 'evt_0123456789@rentapi.example',
};

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function opened(mailer: Mailer): Mailer {
  closing.push(() => mailer.close());
  return mailer;
}

async function listening(server: Server | ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('SMTP', () => {
  interface Received {
    from: string;
    to: string[];
    raw: string;
    user: string | undefined;
    encrypted: boolean;
  }

  async function startServer(account?: { user: string; pass: string }, { startTls = false } = {}) {
    const received: Received[] = [];
    const attempts: string[] = [];
    const server = new SMTPServer({
      disabledCommands: [...(startTls ? [] : ['STARTTLS']), ...(account ? [] : ['AUTH'])],
      authOptional: !account,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        attempts.push(String(username));
        const good = username === account?.user && password === account?.pass;
        done(good ? null : new Error('wrong password'), good ? { user: username } : undefined);
      },
      onRcptTo({ address }, _session, done) {
        done(address.startsWith('refused') ? Object.assign(new Error('no such mailbox'), { responseCode: 550 }) : null);
      },
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          received.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString(),
            user: session.user === undefined ? undefined : String(session.user),
            encrypted: session.secure,
          });
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.on('error', () => {}); // a client that refuses its certificate
    closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
    return { received, attempts, port: (server.server.address() as AddressInfo).port };
  }

  const headers = (raw: string) => raw.split('\r\n\r\n')[0]!.replaceAll(/\r\n[ \t]+/g, ' ');

  it('sends a mail with its Message-ID, both bodies and its sender', async () => {
    const { port, received } = await startServer();
    await opened(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM })).send(mail);
    expect(received).toHaveLength(1);
    const [{ from, to, raw }] = received as [Received];
    expect(from).toBe('no-reply@rentapi.example');
    expect(to).toHaveLength(1);
    expect(headers(raw)).toContain('Message-ID: <evt_0123456789@rentapi.example>');
    expect(headers(raw)).toContain('From: RentAPI <no-reply@rentapi.example>');
    expect(raw).toMatch(/Content-Type: text\/plain/);
    expect(raw).toMatch(/Content-Type: text\/html/);
    expect(raw).toContain('The line above is a lone dot.');
  });

  it('signs in', async () => {
    const { port, received } = await startServer({ user: 'mailer', pass: 'p@ss:word' });
    const url = `smtp://mailer:${encodeURIComponent('p@ss:word')}@127.0.0.1:${port}`;
    await opened(createSmtpMailer({ url, from: FROM })).send(mail);
    expect(received[0]?.user).toBe('mailer');
    const wrong = opened(createSmtpMailer({ url: `smtp://mailer:wrong@127.0.0.1:${port}`, from: FROM }));
    await expect(wrong.send(mail)).rejects.toThrow();
  });

  describe('TLS (V12.3.1, V12.3.3, V12.3.4)', () => {
    const account = { user: 'mailer', pass: 'secret' };
    /** 0.0.0.0 leads to this machine too, and is no loopback address. */
    const sendTo = (port: number, parameters = '', host = '0.0.0.0') =>
      opened(createSmtpMailer({ url: `smtp://mailer:secret@${host}:${port}${parameters}`, from: FROM })).send(mail);

    it.each(['', '?requireTLS=false', '?opportunisticTLS=true', '?ignoreTLS=false'])(
      'sends no password and no mail to a server that does not offer STARTTLS: smtp://…%s',
      async (parameters) => {
        const { port, received, attempts } = await startServer(account);
        await expect(sendTo(port, parameters)).rejects.toThrow(/STARTTLS/);
        expect({ received, attempts }).toEqual({ received: [], attempts: [] });
      },
    );

    it('sends over TLS where the server offers STARTTLS', async () => {
      const { port, received } = await startServer(account, { startTls: true });
      await sendTo(port, '?tls.rejectUnauthorized=false'); // its certificate is its own
      expect(received).toMatchObject([{ encrypted: true, user: 'mailer' }]);
    });

    it('refuses a certificate that no known authority has signed', async () => {
      const { port, received, attempts } = await startServer(account, { startTls: true });
      await expect(sendTo(port)).rejects.toThrow(/certificate/);
      expect({ received, attempts }).toEqual({ received: [], attempts: [] });
    });

    it('does without where the URL opts out, and on this machine', async () => {
      const { port, received } = await startServer(account);
      await sendTo(port, '?ignoreTLS=true');
      await sendTo(port, '', '127.0.0.1');
      await sendTo(port, '', 'localhost');
      expect(received.map(({ encrypted }) => encrypted)).toEqual([false, false, false]);
    });
  });

  it('fails where the recipient is refused, and sends the next mail', async () => {
    const { port, received } = await startServer();
    const mailer = opened(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }));
    await expect(mailer.send({ ...mail, to: 'refused@example.com' })).rejects.toThrow(/550/);
    await mailer.send(mail);
    expect(received).toHaveLength(1);
  });

  it('takes a recipient for one mailbox, and a subject for one line', async () => {
    const { port, received } = await startServer();
    const mailer = opened(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }));
    await mailer
      .send({ ...mail, to: 'a@example.com, thief@example.com', subject: 'x\r\nBcc: thief@example.com' })
      .catch(() => {}); // refusing it is good too
    expect(received.flatMap(({ to }) => to)).not.toContain('thief@example.com');
    for (const { raw } of received) expect(headers(raw)).not.toMatch(/^Bcc:/im);
  });

  it('sends many at once over few connections', async () => {
    const { port, received } = await startServer();
    const mailer = opened(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM }));
    await Promise.all(Array.from({ length: 40 }, (_, i) => mailer.send({ ...mail, messageId: `evt_${i}@x` })));
    expect(new Set(received.map(({ raw }) => /Message-ID: (\S+)/i.exec(raw)?.[1])).size).toBe(40);
  });

  it.each([
    ['never greets', ''],
    ['greets and falls silent', '220 hello\r\n'],
  ])('gives up on a server that %s', async (_, greeting) => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write(greeting);
    });
    const port = await listening(server);
    const mailer = opened(createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM, timeoutMs: 150 }));
    const began = performance.now();
    await expect(mailer.send(mail)).rejects.toThrow(/timeout|never received/i);
    expect(performance.now() - began).toBeLessThan(25_000); // without a timeout of ours: 30 s and more
    for (const socket of sockets) socket.destroy();
  });

  it('fails where no server listens', async () => {
    const mailer = opened(createSmtpMailer({ url: 'smtp://127.0.0.1:1', from: FROM }));
    await expect(mailer.send(mail)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('Resend', () => {
  /** Keeps what it received and answers a repeated key as Resend does. */
  async function startResend({ answerAfterMs = 0 } = {}) {
    const sent = new Map<string, string>();
    const requests: { authorization: string | undefined; body: Record<string, unknown> }[] = [];
    const server = createServer(async (req, res) => {
      const text = await bodyOf(req);
      const key = String(req.headers['idempotency-key']);
      requests.push({ authorization: req.headers.authorization, body: JSON.parse(text) });
      await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
      const answer = (status: number, body: unknown) =>
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (req.headers.authorization !== 'Bearer re_good')
        return answer(401, { statusCode: 401, name: 'invalid_api_key', message: 'API key is invalid' });
      const known = sent.get(key);
      if (known !== undefined && known !== text)
        return answer(409, { statusCode: 409, name: 'invalid_idempotent_request', message: 'Used with another body' });
      sent.set(key, text);
      return answer(200, { id: key });
    });
    const port = await listening(server);
    closing.push(() => server.closeAllConnections());
    return { sent, requests, baseUrl: `http://127.0.0.1:${port}` };
  }

  it('sends a mail under its Message-ID', async () => {
    const { baseUrl, sent, requests } = await startResend();
    await createResendMailer({ apiKey: 're_good', from: FROM, baseUrl }).send(mail);
    expect([...sent.keys()]).toEqual([mail.messageId]);
    expect(requests[0]?.body).toEqual({
      from: FROM,
      to: [mail.to],
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      headers: { 'Message-ID': `<${mail.messageId}>` },
    });
  });

  it('counts the same mail sent again as sent, with a new link too', async () => {
    const { baseUrl, sent } = await startResend();
    const mailer = createResendMailer({ apiKey: 're_good', from: FROM, baseUrl });
    await mailer.send(mail);
    await mailer.send(mail);
    await mailer.send({ ...mail, text: 'another token' });
    expect([...sent.values()]).toHaveLength(1);
  });

  it("fails with Resend's reason, and without the key", async () => {
    const { baseUrl } = await startResend();
    const failing = createResendMailer({ apiKey: 're_wrong', from: FROM, baseUrl }).send(mail);
    await expect(failing).rejects.toThrow('Resend answered 401');
    await expect(failing).rejects.not.toThrow('re_wrong');
  });

  it('gives up on an answer that does not come', async () => {
    const { baseUrl } = await startResend({ answerAfterMs: 1000 });
    const mailer = createResendMailer({ apiKey: 're_good', from: FROM, baseUrl, timeoutMs: 100 });
    await expect(mailer.send(mail)).rejects.toThrow(/timeout|never received/i);
  });
});

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
