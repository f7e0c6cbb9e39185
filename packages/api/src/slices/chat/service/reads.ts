import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { Ids } from '../../../contract/ids.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import type { ChatRead } from '../schemas.ts';

/** How far a member has read. */
export interface ReadMark {
  userId: number;
  messageId: number;
  readAt: Date;
}

/** It only moves on. The member's row is locked, so that none is left of a member who is being removed. */
const MARK: Statement = {
  text: `
    with member as (
      select user_id from organization_members where organization_id = $1 and user_id = $2 for key share
    ),
    message as (select id from chat_messages where organization_id = $1 and id = $3),
    marked as (
      insert into chat_reads (organization_id, user_id, message_id, read_at)
      select $1, member.user_id, message.id, $4 from member, message
      on conflict (organization_id, user_id) do update set message_id = excluded.message_id, read_at = excluded.read_at
        where chat_reads.message_id < excluded.message_id
      returning message_id
    )
    select exists (select from message) as found, exists (select from marked) as moved`,
};

/** The mark, if it has moved. */
export async function markRead(ctx: OrganizationContext, messageId: string): Promise<ReadMark | null> {
  if (ctx.actor.kind !== 'user') throw new ApiError('user_required');
  const mark = { userId: ctx.actor.user.id, messageId: ctx.ids.decode('msg', messageId), readAt: ctx.now };
  const values = [ctx.organization.id, mark.userId, mark.messageId, mark.readAt];
  const [marked] = await execute<{ found: boolean; moved: boolean }>(ctx.db, MARK, values);
  if (!marked?.found) throw new ApiError('not_found');
  return marked.moved ? mark : null;
}

/** Bounds what a new connection is sent. */
const MAX_MARKS = 200;

/** The members who have read furthest. */
export async function listReads({ db, organization }: Tenancy): Promise<ReadMark[]> {
  return db('chat_reads')
    .where({ organizationId: organization.id })
    .orderBy('messageId', 'desc')
    .limit(MAX_MARKS)
    .select('userId', 'messageId', 'readAt');
}

export function presentRead(ids: Ids, { userId, messageId, readAt }: ReadMark): ChatRead {
  return { userId: ids.encode('usr', userId), messageId: ids.encode('msg', messageId), readAt: iso(readAt) };
}
