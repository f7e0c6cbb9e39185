import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { migrateUp, migrationStatus } from '@rentapi/platform/migrations';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { expect, inject, it } from 'vitest';

const NAME = '0061_mailbox_keys';
/** The key of all these addresses now; earlier releases stored the other forms. */
const KEY = 'a@example.xn--mxa9ab';
const FINAL = 'a@example.σας';
const PLAIN = 'a@example.σασ';

it('gives every account and invitation the key of its mailbox, and loses none of two with the same', async () => {
  const database = await cloneDatabase(inject('postgres'));
  const owner = new pg.Client(database.ownerUrl);
  await owner.connect();
  try {
    // The migration runs once more on rows as an earlier release stored them.
    await owner.query('delete from knex_migrations where name = $1', [NAME]);
    await owner.query(
      "insert into organizations (name, created_at, updated_at) select name, now(), now() from unnest('{a,b}'::text[]) as name",
    );
    const { id: organization } = (await owner.query('select min(id) as id from organizations')).rows[0];
    const add = async (email: string, key: string, verified: boolean) =>
      (
        await owner.query(
          `insert into users (email, email_key, email_verified_at, default_organization_id, personal_organization_id, created_at, updated_at)
           values ($1, $2, $3, $4, $4, now(), now()) returning id`,
          [email, key, verified ? new Date() : null, organization],
        )
      ).rows[0].id;
    const invite = async (email: string, key: string, status: string) =>
      (
        await owner.query(
          `insert into organization_invitations (organization_id, email, email_key, role, status, expires_at, created_at, updated_at)
           values ($1, $2, $3, 'MEMBER', $4, now(), now(), now()) returning id`,
          [organization, email, key, status],
        )
      ).rows[0].id;
    const plain = await add('b@example.com', 'b@example.com', true);
    const unverified = await add('a@example.σασ', KEY, false);
    const verified = await add('A@example.ΣΑΣ', FINAL, true);
    const third = await add('a@example.σασ', PLAIN, true);
    const alone = await add('c@example.ΣΑΣ', 'c@example.σας', false);
    const accepted = await invite('a@example.σασ', PLAIN, 'ACCEPTED');
    const first = await invite('a@example.σασ', PLAIN, 'PENDING');
    const second = await invite('a@example.ΣΑΣ', FINAL, 'PENDING');

    expect((await migrationStatus(database.ownerUrl, MIGRATIONS)).pending).toEqual([NAME]);
    await migrateUp(database.ownerUrl, MIGRATIONS);

    const keys = (await owner.query('select id, email_key as key from users')).rows.map(({ id, key }) => [id, key]);
    const expected = [
      [plain, 'b@example.com'],
      [verified, KEY],
      [unverified, FINAL],
      [third, PLAIN],
      [alone, KEY.replace('a@', 'c@')],
    ];
    expect(Object.fromEntries(keys)).toEqual(Object.fromEntries(expected));
    const invitations = await owner.query(
      'select id, email_key as key, status from organization_invitations order by id',
    );
    expect(invitations.rows).toEqual([
      { id: accepted, key: KEY, status: 'ACCEPTED' },
      { id: first, key: KEY, status: 'PENDING' },
      { id: second, key: KEY, status: 'REVOKED' },
    ]);
  } finally {
    await owner.end();
    await database.drop();
  }
});
