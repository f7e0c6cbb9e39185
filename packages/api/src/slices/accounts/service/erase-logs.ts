import type { Context } from '../../../context.ts';
import { ACROSS_ORGANIZATIONS } from '../../../data/tenant-model.ts';
import type { RunControl } from '../../../jobs/job.ts';
import type { UserModel } from '../../users/model.ts';

const RANGE = 10_000;

/**
 * Takes the personal part of every audit entry by or about these users, and the personal data in the events about them.
 * Both logs are read once for all of them, in ranges of ids: an index for this alone would slow down every write. The
 * chains of hashes go on, because they contain a digest of the personal part.
 */
export async function eraseFromLogs(
  ctx: Context,
  users: readonly UserModel[],
  { touch, signal }: RunControl,
): Promise<void> {
  const about = await traces(ctx, users);
  await eraseFromUsage(ctx, about, { touch, signal });
  for (const [table, statement] of [
    ['audit_logs', AUDIT_LOGS],
    ['events', EVENTS],
  ] as const) {
    const { max } = await ctx.db(table).comment(ACROSS_ORGANIZATIONS).max('id as max').first<{ max: number | null }>();
    for (let after = 0; after < (max ?? 0) && !signal.aborted; after += RANGE, touch())
      await ctx.db.raw(statement, { ...about, after, to: after + RANGE });
  }
}

/** What names these users in a log. */
async function traces(ctx: Context, users: readonly UserModel[]) {
  const ids = users.map(({ id }) => id);
  const keys = users.map(({ emailKey }) => emailKey);
  const sessions: { id: number; publicId: string }[] = await ctx
    .db('sessions')
    .whereIn('userId', ids)
    .select('id', 'publicId');
  const invitations: { id: number }[] = await ctx
    .db('organization_invitations')
    .comment(ACROSS_ORGANIZATIONS)
    .where((either) => either.whereIn('emailKey', keys).orWhereIn('formerUserId', ids))
    .select('id');
  return {
    users: ids,
    homes: users.map(({ personalOrganizationId }) => personalOrganizationId),
    sessions: sessions.map(({ id }) => id),
    invitations: invitations.map(({ id }) => id),
    publicIds: [
      ...ids.map((id) => ctx.ids.encode('usr', id)),
      ...sessions.map(({ publicId }) => publicId),
      ...invitations.map(({ id }) => ctx.ids.encode('ivt', id)),
    ],
  };
}

const BATCH = 10_000;

/** Which calls there were stays counted; who made them, and from where, goes. */
async function eraseFromUsage(
  ctx: Context,
  about: { users: number[]; homes: number[] },
  { touch, signal }: Pick<RunControl, 'touch' | 'signal'>,
): Promise<void> {
  for (const whose of ['user_id = any(:users)', 'organization_id = any(:homes) and ip is not null']) {
    for (let erased = BATCH; erased === BATCH && !signal.aborted; touch()) {
      const { rowCount } = await ctx.db.raw<{ rowCount: number }>(
        `/* across organizations */
         update usage_calls set user_id = null, ip = null, user_agent = null
         where (organization_id, occurred_at, call_id) in (
           select organization_id, occurred_at, call_id from usage_calls where ${whose} limit ${BATCH})`,
        { users: about.users, homes: about.homes },
      );
      erased = rowCount;
    }
  }
}

/** By the function of the owner, because the role that serves cannot change the log. */
const AUDIT_LOGS = `
  /* across organizations */
  select erase_audit_personal(array(
    select id from audit_logs
    where id > :after and id <= :to and personal_salt is not null and (
      (actor_kind = 'user' and actor_id = any(:users))
      or organization_id = any(:homes)
      or (target_kind = 'users' and target_id = any(:users))
      or (target_kind = 'sessions' and target_id = any(:sessions))
      or (target_kind = 'organization_invitations' and target_id = any(:invitations)))))`;

/**
 * Events of the account and of its personal organization are emptied. Those of other organizations keep their form,
 * because readers resume them.
 */
const EVENTS = `
  /* across organizations */
  update events set data = case
    when organization_id is null or organization_id = any(:homes) then '{}'::jsonb
    when jsonb_exists(data, 'fullName') then data || '{"email": "erased@invalid", "username": null, "fullName": null}'
    else data || '{"email": "erased@invalid"}' end
  where id > :after and id <= :to and (organization_id = any(:homes) or case
    when organization_id is null then coalesce(data ->> 'id', data ->> 'sessionId', data ->> 'userId') = any(:publicIds)
    else jsonb_exists(data, 'email') and coalesce(data ->> 'userId', data ->> 'id') = any(:publicIds) end)`;
