import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutRedis } from './drivers.ts';

const PROCESSES = 3;

interface Report {
  allowed: number;
  firstAskedAt: number;
  firstAnsweredAt: number;
  lastAskedAt: number;
  lastAnsweredAt: number;
}

describe.skipIf(withoutRedis)('limiter shared by three processes, 50 calls at once in each', () => {
  let server: TestRedis;
  beforeAll(async () => void (server = await startTestRedis()));
  afterAll(() => server?.stop());

  async function race(size: number, windowMs: number, durationMs: number): Promise<Report[]> {
    const file = new URL('./limiter-process.ts', import.meta.url);
    const args = [server.url, `{${size}}race`, size, windowMs, durationMs].map(String);
    const children = Array.from({ length: PROCESSES }, () => fork(file, args, { execArgv: [] }));
    await Promise.all(children.map((child) => once(child, 'message')));
    for (const child of children) child.send('go');
    return Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as Report));
  }

  it('grants exactly the quota', async () => {
    const reports = await race(1000, 86_400_000, 1000);
    const allowed = reports.reduce((sum, report) => sum + report.allowed, 0);
    expect(allowed).toBe(1000);
    expect(reports.filter((report) => report.allowed > 0)).toHaveLength(PROCESSES);
  });

  it('grants the quota and its refill, plus or minus one', async () => {
    const [size, windowMs] = [20, 2000];
    const reports = await race(size, windowMs, 3000);
    const allowed = reports.reduce((sum, report) => sum + report.allowed, 0);
    const longest =
      Math.max(...reports.map((report) => report.lastAnsweredAt)) -
      Math.min(...reports.map((report) => report.firstAskedAt));
    const shortest =
      Math.max(...reports.map((report) => report.lastAskedAt)) -
      Math.max(...reports.map((report) => report.firstAnsweredAt));
    expect(allowed).toBeLessThanOrEqual(size + (longest * size) / windowMs + 1);
    expect(allowed).toBeGreaterThanOrEqual(size + (shortest * size) / windowMs - 1);
  });
});
