import type { Knex } from '@rentapi/platform/database';

/**
 * Every change to a row that decides what an actor may do is sent to the channel `actors` in its own transaction, so
 * exactly when it commits. The triggers list no columns: a forgotten one would be a revocation that no process notices.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function tell_actors() returns trigger language plpgsql as $$
    begin
      perform pg_notify('actors', tg_argv[0] || ':' || (changed ->> tg_argv[1]))
      from (values (to_jsonb(old)), (to_jsonb(new))) as rows (changed)
      where changed is not null;
      return null;
    end $$;
    create trigger tell_actors after update or delete on users
      for each row execute function tell_actors('user', 'id');
    create trigger tell_actors after update or delete on sessions
      for each row execute function tell_actors('user', 'user_id');
    create trigger tell_actors after insert or update or delete on organization_members
      for each row execute function tell_actors('user', 'user_id');
    create trigger tell_actors after update or delete on organizations
      for each row execute function tell_actors('organization', 'id');
    create trigger tell_actors after update or delete on api_keys
      for each row execute function tell_actors('key', 'id');
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop function tell_actors cascade');
}
