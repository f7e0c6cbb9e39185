import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import { type Fixture, procedures } from './fixture.ts';
import { type FixtureLender, lendFixtures } from './lend-fixtures.ts';
import { scenario } from './scenarios.ts';
import { openSurfaces, type Surface } from './surfaces.ts';

/** The same call by tRPC's caller, tRPC over HTTP, REST and the SDK gives the same answer. */
let app: TestApp;
let fixtures: FixtureLender;
let surfaces: [string, Surface][];

beforeAll(async () => {
  app = await startApp();
  fixtures = lendFixtures(app);
  surfaces = Object.entries(openSurfaces(app));
});
afterAll(() => app.close());

/**
 * Users and organizations of a fixture by their part in it, so that two fixtures can be compared and a wrong one is
 * noticed.
 */
function partsOf({ members, organizationId, owner }: Fixture): Map<string, string> {
  const parts = new Map([[organizationId, 'the organization']]);
  for (const [role, person] of Object.entries(members)) {
    parts.set(person.id, `the ${role}`).set(person.email, `the mailbox of the ${role}`);
    parts.set(person.organizationId, `the home of the ${role}`);
  }
  return parts.set(owner.id, 'the OWNER');
}

const JOB_COUNTS = ['waiting', 'due', 'running', 'failed', 'oldestDueSeconds'];

const HOUR_MS = 3_600_000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const CHANGING = ['waiting', 'due', 'running', 'oldestDueSeconds'];

/**
 * Replaces what differs between any two calls: ids and addresses of new rows, times by their distance from now, random
 * text by its form. Everything else stays as it is.
 */
function comparable(value: unknown, parts: ReadonlyMap<string, string>, field = ''): unknown {
  if (Array.isArray(value)) return value.map((part) => comparable(part, parts, field));
  if (typeof value === 'number' && field === 'latencyMs') return 'some milliseconds';
  if (JOB_COUNTS.includes(field)) return 'what the calls before have caused';
  if (typeof value === 'string') {
    return (
      parts.get(value) ??
      (TIME.test(value)
        ? `${Math.round((Date.parse(value) - Date.now()) / HOUR_MS)} hours from now`
        : value
            .replace(/^([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}$/, 'a new $1')
            .replace(/^[\w-]+\.[\w-]+\.[\w-]{43}$/, 'a signed token')
            .replace(/^[\w-]{43}$/, '32 random bytes')
            .replace(/^rapi_(live|test)_[0-9A-Za-z]{4}$/, 'the start of a key')
            .replace(/^[A-Z2-7]{24}$/, '15 random bytes')
            .replace(/^dXNyX[\w-]{35}$/, 'the handle of a user')
            .replace(/secret=[A-Z2-7]{32}/, 'secret=20 random bytes')
            .replace(/^data:image\/png;base64,.+$/, 'an image')
            .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'a uuid'))
    );
  }
  if (value === null || typeof value !== 'object') return value;
  const { secret } = value as { secret?: string };
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      // A new key's own secret: what is shown of it later must be part of it.
      if (secret && key === 'prefix') return [key, secret.startsWith(part)];
      // Jobs begin and end meanwhile.
      if (CHANGING.includes(key)) return [key, 'a number or null'];
      if (key === 'last4' && part !== null)
        return [key, part.length === 4 && (secret?.endsWith(part) ?? 'of a secret shown before')];
      // Where the name was taken, digits are added.
      if (key === 'slug' || key === 'subdomain') return [key, part?.replace(/-?\d{4}$/, '')];
      // What a provider numbers.
      if (['orderId', 'actionUrl', 'description'].includes(key)) return [key, part?.replace(/\d+/g, '…')];
      // What binds a login at a provider to its answer.
      if (key === 'url') {
        return [key, part.replace(/\b(state|code_challenge)=[\w-]{43}/g, '$1=…').replace(/(?<=\/bps_fake)\d+$/, '…')];
      }
      if (secret && key === 'secret') return [key, part.replace(/(?<=_|^)[0-9A-Za-z+/]{30,}=?$/, 'random characters')];
      return [key, comparable(part, parts, key)];
    }),
  );
}

describe.each(procedures)('$name', (procedure) => {
  const isQuery = procedure.type === 'query';

  it('answers alike', async () => {
    const asked = isQuery ? await prepare(await fixtures.shared()) : undefined;
    const answers: unknown[] = [];
    for (const [name, surface] of surfaces) {
      // Each surface changes a fixture of its own.
      const { caller, input, parts } = asked ?? (await prepare(await fixtures.fresh()));
      const answer = await surface(procedure, caller, input);
      if (!('data' in answer)) expect.fail(`${name}: ${JSON.stringify(answer.problem)}`);
      // Reads of one fixture in one state are identical, except for times; each call is counted, and is the last use
      // of a session.
      const isSame =
        isQuery &&
        !/^system\.|^cache\.|^sessions\.list$|^analytics\.realtime$|^admin\.queues$|^admin\.billing\.books$/.test(
          procedure.name,
        );
      answers.push(isSame ? answer.data : comparable(answer.data, parts));
    }
    const [first, ...others] = answers;
    for (const other of others) expect(other).toEqual(first);
  });

  async function prepare(fixture: Fixture) {
    const { caller, input } = await scenario(fixture, procedure);
    const parts = partsOf(fixture);
    const mailbox = (input as { email?: string } | undefined)?.email;
    if (mailbox) parts.set(mailbox, 'the given mailbox');
    return { caller, input, parts };
  }
});
