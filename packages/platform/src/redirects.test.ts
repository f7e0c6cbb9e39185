import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openErrorReporter } from './error-reporting.ts';
import { createResendMailer } from './mail/resend.ts';
import { createOutbound } from './outbound.ts';
import { openTracer } from './tracing.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

let asked: string[];
let base: string;
let close: () => Promise<unknown>;

/** A server that redirects everything, with the body. */
beforeEach(async () => {
  asked = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    req.resume();
    res.writeHead(307, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
});
afterEach(() => close());

describe('an outgoing call follows no redirect (V15.3.2)', () => {
  it.each<[name: string, call: () => Promise<unknown>]>([
    [
      'to an address of a tenant',
      async () => {
        const outbound = createOutbound({ allowedTargets: [new URL(base).host], settingName: 'ALLOWED' });
        expect((await outbound.send({ url: `${base}/hook`, method: 'POST', body: 'secret' })).status).toBe(307);
        outbound.close();
      },
    ],
    [
      'to Resend',
      async () => {
        const mailer = createResendMailer({ apiKey: 'k', from: 'a@example.com', baseUrl: base });
        const mail = { to: 'b@example.com', subject: 's', text: 't', html: 'h', messageId: 'm' };
        await expect(mailer.send(mail)).rejects.toThrow();
      },
    ],
    [
      'to Sentry',
      async () => {
        const dsn = `${base.replace('//', '//public@')}/42`;
        const reporter = await openErrorReporter({ dsn, release: '1', environment: 'test' });
        reporter.report(new Error('the disk is full'), {});
        await reporter.close();
      },
    ],
    [
      'to a collector of traces',
      async () => {
        const tracer = await openTracer({ endpoint: base, service: 'rentapi', version: '1' });
        tracer.start('call', { traceparent: undefined, tracestate: undefined }, {}).end();
        await tracer.close();
      },
    ],
  ])('%s', async (_, call) => {
    await call();
    expect(asked).toHaveLength(1);
    expect(asked).not.toContain('/elsewhere');
  });

  it('and there are no other calls: each is one of the above, or has such a test beside it', () => {
    const packages = ['packages', 'apps'].flatMap((tree) =>
      readdirSync(path.join(REPOSITORY, tree)).map((name) => path.join(tree, name, 'src')),
    );
    const sources = packages.flatMap((src) =>
      readdirSync(path.join(REPOSITORY, src), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !/\.(test|proofs)\.ts$/.test(file))
        .map((file) => path.join(src, file)),
    );
    expect(sources.length).toBeGreaterThan(100);
    const calling = sources.filter((file) =>
      /\bfetch\(|\b(?:http|https|https?\.default)\)?\.(?:request|get)\(|from '(?:undici|axios|got|node-fetch)'/.test(
        readFileSync(path.join(REPOSITORY, file), 'utf8'),
      ),
    );
    expect(calling.sort()).toEqual([
      'apps/server/src/dev/simulator/world.ts', // calls the server beside it, and follows nothing
      'packages/fake-payments/src/deliveries.ts',
      'packages/payments/src/provider-fetch.ts',
      'packages/platform/src/error-reporting.ts',
      'packages/platform/src/mail/resend.ts',
      'packages/platform/src/outbound.ts',
    ]);
  });
});
