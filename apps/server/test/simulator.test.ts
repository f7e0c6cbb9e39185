import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FAULTS } from '@rentapi/api/slices/books/schemas';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { describe, expect, inject, it, vi } from 'vitest';
import { runSimulation } from '../src/dev/simulator/command.ts';
import { noteChanges } from '../src/dev/simulator/invariants.ts';
import { type Simulation, simulate } from '../src/dev/simulator/simulate.ts';

const TIMEOUT_MS = 300_000;

type Given = Pick<Simulation, 'months' | 'organizations' | 'seed' | 'chaos'>;

/** On a database of its own. `spoil` changes rows after each month, as its owner. */
async function run(given: Given, spoil?: string) {
  const database = await cloneDatabase(inject('postgres'));
  const dataDir = await mkdtemp(path.join(tmpdir(), 'rentapi-simulation-test-'));
  const { url: databaseUrl, ownerUrl } = database;
  try {
    await noteChanges(ownerUrl);
    return await simulate({
      ...given,
      databaseUrl,
      dataDir,
      ...(spoil !== undefined && { onMonth: () => change(ownerUrl, spoil) }),
    });
  } finally {
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function change(url: string, sql: string): Promise<void> {
  const rows = openDatabase(url, { acquireTimeoutMs: 60_000, statementTimeoutMs: 60_000 });
  await rows.raw(sql);
  await rows.destroy();
}

describe('the simulator', () => {
  it.each([
    { seed: 1, chaos: false },
    { seed: 2, chaos: true },
    { seed: 3, chaos: true },
  ])(
    'lives months in which every invariant holds, and money moves, with %j',
    async (given) => {
      const { broken, months } = await run({ months: 3, organizations: 3, ...given });
      expect(broken).toBeNull();
      expect(months.map(({ month }) => month)).toEqual(['2028-01', '2028-02', '2028-03']);
      const { invoices, paid, paidMinor } = months.at(-1)!;
      expect(Math.min(invoices, paid, paidMinor)).toBeGreaterThan(0);
      expect(months.some(({ faults }) => faults > 0)).toBe(given.chaos);
    },
    TIMEOUT_MS,
  );

  it(
    'names the first invariant that is broken, with its organization, step and moment',
    async () => {
      const { broken, months } = await run(
        { months: 2, organizations: 1, seed: 2, chaos: false },
        `update organizations set plan = 'ENTERPRISE', plan_until = null, plan_after = null`,
      );
      expect(months).toHaveLength(1);
      expect(broken).toMatchObject({
        kind: 'PLAN',
        organizationId: expect.any(Number),
        what: FAULTS.PLAN,
        step: expect.any(Number),
        at: expect.any(Date),
      });
    },
    TIMEOUT_MS,
  );

  it(
    'finds at the end of the day what has changed in an organization that no step was about',
    async () => {
      const { broken, months } = await run(
        { months: 2, organizations: 6, seed: 1, chaos: false },
        `update payments set amount_minor = amount_minor - 1 where id = (select max(id) from payments where status = 'SUCCEEDED')`,
      );
      expect(months).toHaveLength(1);
      expect(broken).toMatchObject({ after: 'a day', at: new Date('2028-02-02T00:00:00.000Z') });
    },
    TIMEOUT_MS,
  );

  it(
    'prints what the groups of organizations have lived side by side',
    async () => {
      const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
      try {
        expect(await runSimulation(['--months', '1', '--organizations', '3', '--seed', '4'])).toBe(0);
        const lines = written.mock.calls.map(([text]) => String(text).trim().split(/ {2,}/));
        expect(lines.map(([first]) => first)).toEqual([
          'month',
          '2028-01',
          expect.stringMatching(/^Every invariant held in \d+ steps, with seed 4, in [\d.]+ s\.$/),
        ]);
        expect(lines[1]?.[lines[0]!.indexOf('live')]).toBe('3');
      } finally {
        written.mockRestore();
      }
    },
    TIMEOUT_MS,
  );

  it.each([
    [['--months', '0'], '--months is a whole number from 1 to 60, not `0`.'],
    [['--months', '61'], '--months is a whole number from 1 to 60, not `61`.'],
    [['--organizations', '501'], '--organizations is a whole number from 1 to 500, not `501`.'],
    [['--seed', '1e3'], '--seed is a whole number from 0 to 2147483647, not `1e3`.'],
    [['--chaoss'], "Unknown option '--chaoss'"],
    [['again'], "Unexpected argument 'again'"],
  ])('is not called with %j', async (args, sentence) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(await runSimulation(args)).toBe(2);
      expect(String(written.mock.calls[0]?.[0])).toContain(sentence);
    } finally {
      written.mockRestore();
    }
  });
});
