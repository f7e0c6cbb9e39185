import type { Person, TestApp } from '../app.ts';
import { buildFixture, type Fixture, type Members, signUpMembers } from './fixture.ts';

/** What tests make in a fixture that they share must not fill its lists. */
const MOST_TESTS = 25;

/** Fixtures of one app, each at the cost that its test needs. */
export function lendFixtures(app: TestApp) {
  let staff: { members: Members; state: string } | undefined;
  let lent: { fixture: Fixture; state: string; tests: number } | undefined;

  /** The same people are members of many organizations, until something has changed one of them. */
  async function members(): Promise<Members> {
    if (!staff || staff.state !== (await stateOf(app, Object.values(staff.members)))) {
      const signedUp = await signUpMembers(app);
      staff = { members: signedUp, state: await stateOf(app, Object.values(signedUp)) };
    }
    return staff.members;
  }

  /** For a call whose changes are compared: an organization with an owner of its own. */
  const fresh = async (): Promise<Fixture> => buildFixture(app, await members());

  const stateIn = ({ members, organizationId }: Fixture): Promise<string> =>
    stateOf(app, Object.values(members), organizationId);

  /**
   * For any other call: the organization of the test before, unless that has changed it, its members or their sessions.
   */
  async function shared(): Promise<Fixture> {
    if (!lent || lent.tests >= MOST_TESTS || lent.state !== (await stateIn(lent.fixture))) {
      const fixture = await fresh();
      lent = { fixture, state: await stateIn(fixture), tests: 0 };
    }
    lent.tests++;
    return lent.fixture;
  }

  return { fresh, shared };
}

export type FixtureLender = ReturnType<typeof lendFixtures>;

/** A hash over the rows of these people, and of their membership in one organization. */
async function stateOf({ ports, rows }: TestApp, people: Person[], organizationId?: string): Promise<string> {
  const users = people.map(({ id }) => ports.ids.decode('usr', id));
  const organization = organizationId === undefined ? 0 : ports.ids.decode('org', organizationId);
  const organizations = [...people.map((person) => ports.ids.decode('org', person.organizationId)), organization];
  const result = await rows.raw(
    `select md5(concat_ws('|',
       (select string_agg(u::text, ',' order by u.id) from users u where u.id = any(:users)),
       (select string_agg(s::text, ',' order by s.id) from sessions s where s.user_id = any(:users)),
       (select string_agg(o::text, ',' order by o.id) from organizations o where o.id = any(:organizations)),
       (select string_agg(m::text, ',' order by m.user_id) from organization_members m
        where m.user_id = any(:users) and m.organization_id = :organization),
       (select string_agg(r::text, ',' order by r.id) from role_assignments r
        where r.user_id = any(:users) and r.organization_id = :organization))) as state`,
    { users, organizations, organization },
  );
  return result.rows[0].state;
}
