import type { IdPrefix } from '@rentapi/api/contract/ids';
import { platformPermissionOf } from '@rentapi/api/contract/permissions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startApp, type TestApp } from '../app.ts';
import {
  buildFixture,
  type Caller,
  call,
  callBatch,
  callRest,
  type Fixture,
  idPlaces,
  idsIn,
  type Procedure,
  procedures,
  replaceAt,
  sourceOf,
  subscriptions,
} from './fixture.ts';
import { OWNED_KINDS, ownedIds } from './owned-ids.ts';

/**
 * Every id in an input × the id of a stranger's row: the same answer as for a row that never existed, wherever the id
 * is: in REST's path, query or body, in a tRPC call, in one of a batch. The places come from the schemas, so a new
 * field is covered without being named here. The caller is the OWNER of an organization and has every permission there.
 */
let app: TestApp;
let mine: Fixture;
let theirs: Fixture;
let ours: Partial<Record<IdPrefix, string>>;
let foreign: Partial<Record<IdPrefix, string>>;

beforeAll(async () => {
  app = await startApp();
  mine = await buildFixture(app);
  theirs = await buildFixture(app);
  ours = await ownedIds(mine, OWNED_KINDS);
  foreign = await ownedIds(theirs, OWNED_KINDS);
});
afterAll(() => app.close());

const MISSING_ROW = 2 ** 40;
const missing = (prefix: IdPrefix) => app.ports.ids.encode(prefix, MISSING_ROW);

interface Inputs {
  stranger: unknown;
  nowhere: unknown;
}
interface Answers {
  stranger: Answer;
  nowhere: Answer;
}
type Way = (procedure: Procedure, caller: Caller, asked: Inputs) => Promise<Answers>;

/** Each is a transport that reads the input in its own way. */
const ways: Record<'REST' | 'tRPC' | 'tRPC batch', Way> = {
  REST: async (procedure, caller, { stranger, nowhere }) => ({
    stranger: await callRest(app, procedure, caller, stranger),
    nowhere: await callRest(app, procedure, caller, nowhere),
  }),
  tRPC: async (procedure, caller, { stranger, nowhere }) => ({
    stranger: await call(app, procedure, caller, stranger),
    nowhere: await call(app, procedure, caller, nowhere),
  }),
  'tRPC batch': async (procedure, caller, asked) => {
    const [nowhere, stranger] = await callBatch(app, procedure, caller, [asked.nowhere, asked.stranger]);
    return { stranger: stranger!, nowhere: nowhere! };
  },
};

const taken = procedures.flatMap((procedure) =>
  idPlaces(procedure).flatMap(({ path, prefix }) =>
    (Object.keys(ways) as (keyof typeof ways)[]).map((way) => ({
      ...procedure,
      path,
      prefix,
      at: `${path.join('.')} (${prefix})`,
      way,
      by: way === 'REST' ? `REST, in the ${sourceOf(procedure.meta, path[0]!)}` : way,
    })),
  ),
);

/** The example's input with ids of ours, and another id at one place. */
function inputWith({ meta }: Pick<Procedure, 'meta'>, path: string[], id: string): unknown {
  const own = idsIn(meta.example.input).reduce<unknown>(
    (value, place) => replaceAt(value, place.path, ours[place.prefix] ?? missing(place.prefix)),
    meta.example.input,
  );
  return replaceAt(own, path, id);
}

function strangers(prefix: IdPrefix): string {
  const id = foreign[prefix];
  if (!id) throw new Error(`No slice's proofs make any ${prefix}_`);
  return id;
}

/** The answer without the request's own id. */
function comparable({ status, body }: Answer): unknown {
  const problem = body.error?.data.problem ?? body;
  return { status, ...problem, ...(problem.requestId && { requestId: '' }) };
}

/**
 * A list of something that does not exist is empty; everything else is not found. What is for platform staff is refused
 * before anything is looked up.
 */
function findsNothing({ access }: Procedure['meta'], { body }: Answer): boolean {
  const { code, items } = body.error?.data.problem ?? body.result?.data ?? body;
  if (platformPermissionOf(access)) return code === 'permission_denied';
  return code === 'not_found' || (Array.isArray(items) && items.length === 0);
}

describe.each(taken)('$name, $at', (procedure) => {
  it(`answers a stranger's id as one that never existed, over ${procedure.by}`, async () => {
    const caller = mine.inOrganization('OWNER');
    // A path that names another organization contradicts a header that names ours.
    if (procedure.prefix === 'org') delete caller['x-organization-id'];
    const { stranger, nowhere } = await ways[procedure.way](procedure, caller, {
      stranger: inputWith(procedure, procedure.path, strangers(procedure.prefix)),
      nowhere: inputWith(procedure, procedure.path, missing(procedure.prefix)),
    });
    expect(findsNothing(procedure.meta, nowhere), JSON.stringify(nowhere.body)).toBe(true);
    expect(comparable(stranger)).toEqual(comparable(nowhere));
  });
});

const watched = subscriptions.flatMap((subscription) =>
  idPlaces(subscription).map(({ path, prefix }) => ({ ...subscription, path, prefix, at: path.join('.') })),
);

describe.each(watched)('$name, $at', ({ name, meta, path, prefix }) => {
  it("answers a stranger's id as one that never existed", async () => {
    const end = async (id: string): Promise<unknown> => {
      const input = encodeURIComponent(JSON.stringify(inputWith({ meta }, path, id)));
      const response = await fetch(`${app.url}/trpc/${name}?input=${input}`, {
        headers: mine.inOrganization('OWNER'),
        signal: AbortSignal.timeout(60_000),
      });
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const said = /event: serialized-error\ndata: (.+)\n/.exec(text)?.[1];
        if (said) return { ...JSON.parse(said).data.problem, requestId: '' };
      }
      throw new Error(`ended without a reason: ${text}`);
    };
    const nowhere = await end(missing(prefix));
    expect(nowhere).toMatchObject({ code: 'not_found' });
    expect(await end(strangers(prefix))).toEqual(nowhere);
  });
});

it('sends ids in every possible place', () => {
  const places = new Set([...taken.map(({ by }) => by), ...watched.map(() => 'a subscription')]);
  expect([...places].sort()).toEqual([
    'REST, in the body',
    'REST, in the path',
    'REST, in the query',
    'a subscription',
    'tRPC',
    'tRPC batch',
  ]);
});
