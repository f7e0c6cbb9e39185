import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import { FAILING_PROCEDURES, failuresOf, NOT_BY_ONE_CALL } from './failures.ts';
import { procedures } from './fixture.ts';
import { type FixtureLender, lendFixtures } from './lend-fixtures.ts';
import { SPECIAL_PROCEDURES } from './scenarios.ts';
import { openSurfaces, type Problem, type Surface } from './surfaces.ts';

/** The same call that fails, by tRPC's caller, tRPC over HTTP, REST and the SDK, gives the same problem. */
let app: TestApp;
let fixtures: FixtureLender;
let surfaces: [string, Surface][];

beforeAll(async () => {
  app = await startApp();
  fixtures = lendFixtures(app);
  surfaces = Object.entries(openSurfaces(app));
});
afterAll(() => app.close());

const failing = procedures.filter((procedure) => failuresOf(procedure).length > 0);

describe.each(failing)('$name', (procedure) => {
  it.each(failuresOf(procedure))('fails alike with %s', async (code, failing) => {
    const { caller, input } = await failing(await fixtures.shared());
    const answers: Record<string, Problem> = {};
    for (const [name, surface] of surfaces) {
      const answer = await surface(procedure, caller, input);
      if (!('problem' in answer)) expect.fail(`${name} succeeded`);
      const { requestId, ...problem } = answer.problem;
      expect(typeof requestId).toBe('string');
      answers[name] = problem;
    }
    const [first, ...others] = Object.values(answers);
    expect(first).toMatchObject({ code });
    for (const other of others) expect(other).toEqual(first);
  });
});

it('provokes every code that a procedure declares', () => {
  const missing = procedures.flatMap((procedure) => {
    const provoked = new Set(failuresOf(procedure).map(([code]) => code));
    const declared = procedure.meta.errors ?? [];
    return declared
      .filter((code) => !provoked.has(code) && !NOT_BY_ONE_CALL.includes(code))
      .map((code) => `${procedure.name}: ${code}`);
  });
  expect(missing).toEqual([]);
  const names = new Set(procedures.map(({ name }) => name));
  expect([...FAILING_PROCEDURES, ...SPECIAL_PROCEDURES].filter((name) => !names.has(name))).toEqual([]);
});
