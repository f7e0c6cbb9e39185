import { text } from 'node:stream/consumers';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { addRollups, type InventedCall } from '../../../test/rolled-up-calls.ts';
import { systemContext } from '../../context.ts';
import { openReport } from './service/report.ts';

const REPORT = '/api/v1/analytics/reports/download';
const OCTOBER = { from: '2025-10-25T12:00:00Z', to: '2025-10-27T12:00:00Z' };

let app: TestApp;
let ada: Person;
let key: { id: string; name: string };

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
  const body = { name: '=HYPERLINK("http://evil.example","x")', scopes: [] };
  key = (await ada.request('/api/v1/api-keys', { method: 'POST', body })).body;
  const keyId = app.ports.ids.decode('key', key.id);
  await add(ada, [
    { at: '2025-10-25T13:00:00Z', keyId, count: 5, latencyUs: 1000 },
    { at: '2025-10-26T13:00:00Z', keyId, count: 2, status: 503 },
    { at: '2025-10-26T13:00:00Z', environment: null, count: 1 },
  ]);
});
afterAll(() => app.close());

const internal = (person: Person) => app.ports.ids.decode('org', person.organizationId);
const add = (person: Person, calls: readonly InventedCall[]) => addRollups(app, internal(person), calls);

/** The file as it is sent. */
async function download(person: Person, query: Record<string, string>): Promise<Response> {
  const headers = { authorization: `Bearer ${person.tokens.accessToken}` };
  const response = await fetch(`${app.url}${REPORT}?${new URLSearchParams({ ...OCTOBER, ...query })}`, { headers });
  expect(response.status).toBe(200);
  return response;
}

describe('a report', () => {
  it('is CSV by default, in which nothing is run', async () => {
    const response = await download(ada, { groupBy: 'key', timeZone: 'Europe/Berlin' });
    expect(response.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="usage-2025-10-25.csv"');
    const [heading, ...lines] = (await response.text()).trimEnd().split('\r\n');
    expect(heading).toBe(
      'start,localStart,keyId,keyName,requests,errors,clientErrors,serverErrors,errorRate,bytesIn,bytesOut,cost,p50Ms,p95Ms,p99Ms',
    );
    const name = `"'=HYPERLINK(""http://evil.example"",""x"")"`;
    expect(lines.map((line) => line.replace(/(,[\d.]+){3}$/, ''))).toEqual([
      `2025-10-24T22:00:00.000Z,2025-10-25T00:00:00+02:00,${key.id},${name},5,0,0,0,0,50,500,5`,
      '2025-10-25T22:00:00.000Z,2025-10-26T00:00:00+02:00,,,1,0,0,0,0,10,100,1',
      `2025-10-25T22:00:00.000Z,2025-10-26T00:00:00+02:00,${key.id},${name},2,2,0,2,1,20,200,2`,
    ]);
  });

  it('is NDJSON, with the types of the values', async () => {
    const response = await download(ada, { groupBy: 'status', format: 'ndjson', interval: 'hour' });
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { start: '2025-10-25T13:00:00.000Z', status: 200, requests: 5, errorRate: 0 },
      { start: '2025-10-26T13:00:00.000Z', status: 200, requests: 1 },
      { start: '2025-10-26T13:00:00.000Z', status: 503, requests: 2, errorRate: 1 },
    ]);
    expect(Math.abs(lines[0].p50Ms - 1)).toBeLessThanOrEqual(0.01);
  });

  it('is a workbook', async () => {
    const response = await download(ada, { format: 'xlsx' });
    expect(response.headers.get('content-disposition')).toMatch(/\.xlsx"$/);
    const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
    const sheet = Buffer.from(files['xl/worksheets/sheet1.xml']!).toString();
    expect(sheet).toContain('<c r="C1" t="inlineStr"><is><t xml:space="preserve">requests</t></is></c>');
    expect(sheet).toContain('<c r="C2"><v>5</v></c>');
  });

  it('has all groups, in any number of hours', async () => {
    const eve = await app.signUp();
    const calls = Array.from({ length: 40 }, (_, hour) =>
      Array.from({ length: 60 }, (_, at) => ({
        at: new Date(Date.UTC(2025, 9, 25, 12 + hour)).toISOString(),
        procedure: `p${at}`,
        count: hour + 1,
      })),
    );
    await add(eve, calls.flat());
    const lines = (await (await download(eve, { groupBy: 'procedure', interval: 'hour' })).text())
      .trimEnd()
      .split('\r\n');
    expect(lines).toHaveLength(1 + 40 * 60);
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('is refused where it would not fit into a file', async () => {
    await expect(openReport(context(ada), { ...given, groupBy: 'key' }, 2)).rejects.toMatchObject({
      errorCode: 'report_too_large',
    });
    const { chunks } = await openReport(context(ada), { ...given, groupBy: 'key' }, 3);
    expect((await text(chunks)).split('\r\n')).toHaveLength(5);
  });

  it.each([
    [{ from: '' }, 'invalid_input'],
    [{ format: 'pdf' }, 'invalid_input'],
    [{ to: OCTOBER.from }, 'time_range_reversed'],
    [{ from: '2024-01-01T00:00:00Z' }, 'time_range_too_long'],
    [{ timeZone: 'Mars/Olympus' }, 'unknown_time_zone'],
  ] as [Record<string, string>, string][])('with %j is refused with %s, and is no file', async (query, code) => {
    const refused = await ada.request(`${REPORT}?${new URLSearchParams({ ...OCTOBER, ...query })}`);
    expect([refused.status, refused.body.code]).toEqual([400, code]);
    expect(refused.headers.get('content-disposition')).toBeNull();
  });

  it('needs the permission to export', async () => {
    const body = { name: 'reader', scopes: ['analytics:read'] };
    const { body: reader } = await ada.request('/api/v1/api-keys', { method: 'POST', body });
    const headers = { 'x-api-key': reader.secret };
    const refused = await app.request(`${REPORT}?${new URLSearchParams(OCTOBER)}`, { headers });
    expect([refused.status, refused.body.code]).toEqual([403, 'permission_denied']);
  });

  it('refuses the twenty-first at once, and serves it when another has ended', async () => {
    const opened = async () => (await openReport(context(ada), given)).chunks[Symbol.asyncIterator]();
    const readers = [await opened()];
    const late = await opened();
    while (readers.length < 20) readers.push(await opened());
    for (const reader of readers) await reader.next();
    await expect(late.next()).rejects.toMatchObject({ errorCode: 'overloaded' });
    // Before its rows are counted, of which it has too many.
    await expect(openReport(context(ada), given, 0)).rejects.toMatchObject({ errorCode: 'overloaded' });
    await readers[0]!.return?.();
    const next = (await openReport(context(ada), given)).chunks[Symbol.asyncIterator]();
    await expect(next.next()).resolves.toMatchObject({ done: false });
    for (const reader of [...readers, next]) await reader.return?.();
  });
});

const given = { ...OCTOBER, interval: 'day', timeZone: 'UTC', environment: 'live', format: 'csv' } as const;

/** As the route makes it for a call. */
const context = (person: Person) => ({
  ...systemContext(app.ports, 'test'),
  organization: { id: internal(person), permissions: new Set<never>() },
});

describe('a reader who goes away', () => {
  it('ends the reading', async () => {
    const eve = await app.signUp();
    const calls = Array.from({ length: 300 }, (_, at) => ({
      at: new Date(Date.UTC(2025, 0, 1) + at * 86_400_000).toISOString(),
    }));
    await add(eve, calls);
    const queries: string[] = [];
    const listen = ({ sql }: { sql: string }) => void queries.push(sql);
    app.ports.database.client.on('query', listen);
    const { chunks } = await openReport(context(eve), { ...given, from: '2025-01-01T00:00:00Z', interval: 'hour' });
    for await (const _ of chunks) break;
    const reads = () => queries.filter((sql) => sql.includes('usage_hours')).length;
    const before = reads();
    await vi.waitFor(() => expect(reads()).toBe(before));
    expect(before).toBeLessThanOrEqual(3);
    app.ports.database.client.off('query', listen);
  });
});
