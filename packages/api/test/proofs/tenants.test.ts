import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { IdPrefix } from '../../src/contract/ids.ts';
import { startApp, type TestApp } from '../app.ts';
import { belongings } from './belongings.ts';
import { buildWorld, call, idsIn, outcome, procedures, replaceAt, type World } from './world.ts';

/**
 * Every id a procedure takes × the id of a stranger's row: the same answer as for a row that never existed, wherever the
 * id stands (path, query, body, a call in a batch). The caller is the OWNER of an organization and may do everything there.
 */
let app: TestApp;
let mine: World;
let theirs: World;
let ours: Record<string, string>;
let foreign: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  mine = await buildWorld(app);
  theirs = await buildWorld(app);
  ours = await belongings(mine);
  foreign = await belongings(theirs);
});
afterAll(() => app.close());

const MISSING_ROW = 2 ** 40;
const taken = procedures.flatMap((procedure) =>
  idsIn(procedure.meta.example.input).map(({ path, prefix }) => ({ ...procedure, path, prefix, at: path.join('.') })),
);

describe.each(taken)('$name, $at', (procedure) => {
  const input = (id: string) => {
    const own = idsIn(procedure.meta.example.input).reduce<unknown>(
      (value, { path, prefix }) => replaceAt(value, path, ours[prefix] ?? missing(prefix)),
      procedure.meta.example.input,
    );
    return replaceAt(own, procedure.path, id);
  };
  const missing = (prefix: IdPrefix) => app.ports.ids.encode(prefix, MISSING_ROW);

  it("answers a stranger's id as one that never existed", async () => {
    const strangers = foreign[procedure.prefix];
    expect(strangers, `belongings() makes a ${procedure.prefix}_`).toBeDefined();
    const caller = mine.inOrganization('OWNER');
    // A path that names another organization cannot agree with a header that names ours.
    if (procedure.prefix === 'org') delete caller['x-organization-id'];
    const [there, nowhere] = [
      await call(app, procedure, caller, input(strangers!)),
      await call(app, procedure, caller, input(missing(procedure.prefix))),
    ];
    expect(outcome(nowhere)).toBe('not_found');
    const problem = ({ body }: typeof there) => ({ ...body.error.data.problem, requestId: '' });
    expect([there.status, problem(there)]).toEqual([nowhere.status, problem(nowhere)]);
  });
});

it('covers every procedure that takes an id', () => {
  const takesId = (input: z.ZodType) =>
    /"\^[a-z]{3}_\[/.test(JSON.stringify(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })));
  const withId = procedures.filter(({ inputs }) => inputs.some(takesId)).map(({ name }) => name);
  const covered = new Set(taken.map(({ name }) => name));
  expect(
    withId.filter((name) => !covered.has(name)),
    'name an id in the example',
  ).toEqual([]);
});
