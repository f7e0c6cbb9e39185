import { platformPermissionOf } from '@rentapi/api/contract/permissions';
import type { ActorQuery } from '@rentapi/api/pipeline/actor-cache';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startApp, type TestApp } from '../app.ts';
import { call, outcome, type Procedure, procedures } from './fixture.ts';
import { type FixtureLender, lendFixtures } from './lend-fixtures.ts';
import { scenario } from './scenarios.ts';

/**
 * A call may wait for locks. What its caller was when it began must not decide then: every mutation reads the session,
 * and staff's role, again in its transaction.
 */
const HARMLESS: Record<string, string> = {
  'apiKeys.verify': 'changes no resource, only counts',
  'auth.logout': 'ends the session that has ended',
  'auth.passkeys.registerOptions': 'makes a challenge only; the registration reads the session again',
  'billing.subscription.preview': 'changes nothing',
  'oauth.identities.link': 'changes nothing; the callback reads the session again',
  'permissions.check': 'changes nothing',
  'ws.ticket': 'using the ticket reads the session again',
};

interface Caller {
  id: number;
  sessionId: number;
}

let app: TestApp;
let fixtures: FixtureLender;
let afterAuthentication: ((caller: Caller) => Promise<void>) | null = null;

beforeAll(async () => {
  app = await startApp();
  fixtures = lendFixtures(app);
  const read = app.ports.actors.read;
  async function readThenChange<Row extends object>(query: ActorQuery<Row>): Promise<Row | undefined> {
    const row = await read(query);
    if (row && 'sessionId' in row && 'id' in row)
      await afterAuthentication?.({ id: Number(row.id), sessionId: Number(row.sessionId) });
    return row;
  }
  vi.spyOn(app.ports.actors, 'read').mockImplementation(readThenChange);
});
afterAll(() => app.close());

const changing = procedures.filter(
  ({ name, type, meta }) => type === 'mutation' && !/^(public|proof:)/.test(meta.access) && !(name in HARMLESS),
);

/** The outcome of a call whose caller changes right after it was authenticated. */
async function overtaken(procedure: Procedure, change: (caller: Caller) => Promise<void>): Promise<string> {
  const { caller, input } = await scenario(await fixtures.shared(), procedure);
  afterAuthentication = change;
  try {
    return outcome(await call(app, procedure, caller, input));
  } finally {
    afterAuthentication = null;
  }
}

it.each(changing)('$name is refused where the session ended meanwhile', async (procedure) => {
  const ended: number[] = [];
  const answer = await overtaken(procedure, async ({ sessionId: id }) => {
    await app.rows('sessions').where({ id }).update({ revokedAt: new Date() });
    ended.push(id);
  });
  await app.rows('sessions').whereIn('id', ended).update({ revokedAt: null });
  expect(answer).toBe('session_revoked');
});

describe('of platform staff', () => {
  it.each(changing.filter(({ meta }) => platformPermissionOf(meta.access)))(
    '$name is refused where the role was taken meanwhile',
    async (procedure) => {
      const answer = await overtaken(procedure, async ({ id }) => {
        await app.rows('users').where({ id }).update({ role: 'USER' });
      });
      expect(answer).toBe('permission_denied');
    },
  );
});

it('knows no exception that is not there', () => {
  const names = procedures.map(({ name }) => name);
  expect(Object.keys(HARMLESS).filter((name) => !names.includes(name))).toEqual([]);
});
