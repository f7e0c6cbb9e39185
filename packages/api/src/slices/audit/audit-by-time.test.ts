import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';

let app: TestApp;
let acme: TestOrganization;

beforeAll(async () => {
  app = await startApp();
  acme = await makeOrganization(app);
});
afterAll(() => app.close());

const read = (query: string) => acme.owner.request(`${acme.path}/audit-logs?${query}`);

describe('an audit log of 20,000 entries, whose order of commit is not their order in time', () => {
  const ENTRIES = 20_000;
  const FIRST_POSITION = 1_000_000;
  const begin = Date.UTC(2026, 0, 1);
  const second = (at: number) => new Date(begin + at * 1000).toISOString();
  /** When the entry at a position was written: up to 255 s apart from its neighbours. */
  const timeAt = (place: number): number => place ^ 255;
  /** The positions of the newest entries that match. */
  const expected = (matches: (at: number) => boolean) =>
    Array.from({ length: ENTRIES }, (_, place) => place)
      .filter((place) => matches(timeAt(place)))
      .reverse()
      .slice(0, 100)
      .map((place) => `bulk-${place}`);
  const requestIds = ({ body }: { body: { items: { requestId: string }[] } }) =>
    body.items.map(({ requestId }) => requestId);

  beforeAll(async () => {
    await app.rows.raw(
      `insert into audit_logs (organization_id, action, actor_kind, target_kind, target_id, request_id, created_at, position)
       select :id, 'bulk', 'system', 'organizations', :id, 'bulk-' || place, :begin::timestamptz + (place # 255) * interval '1 second',
              (select greatest(max(position), ${FIRST_POSITION}) from audit_logs) + 1 + place
       from generate_series(0, ${ENTRIES - 1}) place`,
      { id: acme.organizationId, begin: new Date(begin) },
    );
    await app.rows.raw('vacuum analyze audit_logs');
  });

  /** How many rows the page's statement took from its indexes. */
  async function rowsRead(query: string): Promise<number> {
    const asked: { sql: string; bindings: unknown[] }[] = [];
    const listen = (statement: (typeof asked)[number]) => asked.push(statement);
    app.ports.database.on('query', listen);
    expect((await read(query)).status).toBe(200);
    app.ports.database.off('query', listen);
    const { sql, bindings } = asked.find((statement) => statement.sql.includes('"audit_logs"'))!;
    const plain = sql.replace(/\$\d+/g, '?');
    const { rows } = await app.rows.raw(`explain (analyze, format json) ${plain}`, bindings as string[]);
    return scanned(rows[0]['QUERY PLAN'][0].Plan);
  }

  interface Plan {
    'Node Type': string;
    'Actual Rows': number;
    'Rows Removed by Filter'?: number;
    Plans?: Plan[];
  }
  function scanned(plan: Plan): number {
    const isScan = /^(Index|Seq|Bitmap Heap)\b.*Scan$/.test(plan['Node Type']);
    const own = isScan ? plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) : 0;
    return (plan.Plans ?? []).reduce((sum, part) => sum + scanned(part), own);
  }

  it('is read by time without reading what is outside the range, and misses no entry', async () => {
    const queries = {
      [`limit=100&from=${second(19_990)}`]: (at: number) => at >= 19_990,
      [`limit=100&from=${second(30_000)}`]: () => false,
      [`limit=100&to=${second(130)}`]: (at: number) => at < 130,
      [`limit=100&to=${second(-10)}`]: () => false,
      [`limit=100&from=${second(9000)}&to=${second(9400)}`]: (at: number) => at >= 9000 && at < 9400,
      [`limit=100&from=${second(9000)}&to=${second(9001)}&action=bulk`]: (at: number) => at === 9000,
    };
    for (const [query, matches] of Object.entries(queries)) {
      expect(await rowsRead(query)).toBeLessThan(4500);
      const ids = requestIds(await read(query));
      expect([query, ids.filter((id) => id.startsWith('bulk'))]).toEqual([query, expected(matches)]);
    }
  });
});
