import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openErrorReporter } from './error-reporting.ts';
import { openTracer } from './tracing.ts';

/** A collector on this machine that keeps what arrives. */
let received: { url: string; headers: IncomingMessage['headers']; body: string }[];
let port: number;
let close: () => Promise<unknown>;

beforeEach(async () => {
  received = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    received.push({ url: req.url ?? '', headers: req.headers, body });
    res.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  close = () => new Promise((resolve) => server.close(resolve));
});
afterEach(() => close());

describe('traces', () => {
  it('reach the collector over OTLP/HTTP, under the trace of the caller', async () => {
    const tracer = await openTracer({ endpoint: `http://127.0.0.1:${port}`, service: 'rentapi', version: '1.2.3' });
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: undefined };
    tracer.start('apiKeys.create', headers, { 'request.id': 'r-1' }).end();
    await tracer.close();

    expect(received.map(({ url }) => url)).toEqual(['/v1/traces']);
    const [sent] = JSON.parse(received[0]!.body).resourceSpans;
    const [span] = sent.scopeSpans[0].spans;
    expect(span).toMatchObject({
      name: 'apiKeys.create',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      attributes: [{ key: 'request.id', value: { stringValue: 'r-1' } }],
    });
    expect(sent.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'rentapi' } });
  });

  it('are not sent for a caller who decided not to sample, and begin anew without a valid header', async () => {
    const tracer = await openTracer({ endpoint: `http://127.0.0.1:${port}`, service: 'rentapi', version: '1.2.3' });
    const unsampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    tracer.start('unsampled', { traceparent: unsampled, tracestate: undefined }, {}).end();
    tracer.start('malformed', { traceparent: 'nonsense', tracestate: undefined }, {}).end();
    await tracer.close();
    const spans = JSON.parse(received[0]!.body).resourceSpans[0].scopeSpans[0].spans;
    expect(spans.map(({ name }: { name: string }) => name)).toEqual(['malformed']);
    expect(spans[0].parentSpanId).toBeUndefined();
  });
});

describe('error reports', () => {
  it('reach Sentry with the failure and the given facts, and nothing else of the request', async () => {
    const dsn = `http://public@127.0.0.1:${port}/42`;
    const reporter = await openErrorReporter({ dsn, release: '1.2.3', environment: 'test' });
    reporter.report(new Error('the disk is full'), { requestId: 'r-1', procedure: 'apiKeys.create' });
    await reporter.close();

    expect(received.map(({ url }) => url.split('?')[0])).toEqual(['/api/42/envelope/']);
    const event = JSON.parse(received[0]!.body.split('\n')[2]!);
    expect(event.exception.values[0]).toMatchObject({ type: 'Error', value: 'the disk is full' });
    expect(event.exception.values[0].stacktrace.frames.length).toBeGreaterThan(0);
    expect(event.tags).toEqual({ requestId: 'r-1', procedure: 'apiKeys.create' });
    expect(event).toMatchObject({ release: '1.2.3', environment: 'test' });
    for (const name of ['request', 'user', 'extra', 'breadcrumbs']) expect(event[name]).toBeUndefined();
  });

  it('never disturb their callers when no collector is there', async () => {
    const reporter = await openErrorReporter({
      dsn: 'http://public@127.0.0.1:1/42',
      release: '1',
      environment: 'test',
    });
    reporter.report(new Error('lost'), { requestId: 'r-1' });
    await expect(reporter.close()).resolves.toBeUndefined();
  });
});
