import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from './processes.ts';

interface Span {
  name: string;
  traceId: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}
interface Report {
  exception: { values: { type: string; value: string }[] };
  tags: Record<string, string>;
}

/** An OpenTelemetry collector and a Sentry at one address, which keep what arrives. */
async function startCollector() {
  const spans: Span[] = [];
  const reports: Report[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    if (req.url === '/v1/traces') {
      for (const resource of JSON.parse(body).resourceSpans)
        for (const scope of resource.scopeSpans) spans.push(...scope.spans);
    } else if (req.url?.startsWith('/api/42/envelope/')) reports.push(JSON.parse(body.split('\n')[2]!));
    res.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    reports,
    endpoint: `http://127.0.0.1:${port}`,
    dsn: `http://public@127.0.0.1:${port}/42`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('a process with OTEL_EXPORTER_OTLP_ENDPOINT and SENTRY_DSN', () => {
  const home = temporaryDirectory();
  let database: Awaited<ReturnType<typeof cloneDatabase>>;
  let operator: pg.Client;
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let server: Server;

  beforeAll(async () => {
    collector = await startCollector();
    database = await cloneDatabase(inject('postgres'));
    operator = new pg.Client(database.ownerUrl);
    await operator.connect();
    server = await startServer(['start'], {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      DATA_DIR: path.join(home.dir, 'data'),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      SENTRY_DSN: collector.dsn,
      ...SECRETS,
    });
  });
  afterAll(async () => {
    killAll();
    await operator?.end();
    await database?.drop();
    collector?.close();
    home.remove();
  });

  it('reports a call that fails with a server error, with its request id and procedure', async () => {
    await operator.query('alter table users rename to users_elsewhere');
    const answer = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'the-failed-one' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'a password of hers' }),
    });
    await operator.query('alter table users_elsewhere rename to users');
    expect(answer.status).toBe(500);
    await expect.poll(() => collector.reports).toHaveLength(1);
    const { exception, tags } = collector.reports[0]!;
    expect(exception.values[0]!.value).toContain('users');
    expect(tags).toEqual({ requestId: 'the-failed-one', procedure: 'auth.login' });
  });

  it('reports a job that fails, with its name, id and attempt', async () => {
    await operator.query('alter table idempotency_keys rename to idempotency_keys_elsewhere');
    await operator.query('insert into agenda_jobs (name, next_run_at, data) values ($1, now(), $2)', [
      'system.purge_idempotency_keys',
      { tick: new Date().toISOString() },
    ]);
    const failed = () => collector.reports.find(({ tags }) => tags['job'] === 'system.purge_idempotency_keys');
    await expect.poll(failed).toBeDefined();
    await operator.query('alter table idempotency_keys_elsewhere rename to idempotency_keys');
    expect(failed()!.tags).toEqual({
      job: 'system.purge_idempotency_keys',
      jobId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempt: '1',
      outcome: 'failed',
    });
  });

  it('sends the spans of calls, under the trace of the caller, and of jobs', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    await fetch(`${server.url}/api/v1/users/me`, { headers: { traceparent, 'x-request-id': 'the-traced-one' } });
    expect(await server.stop()).toBe(0); // queued spans are sent when the process stops
    const span = collector.spans.find((each) => each.traceId === traceId);
    expect(span).toMatchObject({
      name: 'users.me.get',
      attributes: expect.arrayContaining([{ key: 'request.id', value: { stringValue: 'the-traced-one' } }]),
    });
    expect(collector.spans.map(({ name }) => name)).toContain('system.purge_idempotency_keys');
  });
});
