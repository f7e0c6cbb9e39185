import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { change } from '../../../data/base-model.ts';
import { rowsOf } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { ChatMessageCreated, ChatMessageDeleted, ChatMessageUpdated } from '../events.ts';
import { MessageModel } from '../model.ts';
import type { ChatMessage, ChatMessagePage, EditChatMessage, ListChatMessages, SendChatMessage } from '../schemas.ts';

export async function listMessages(ctx: OrganizationContext, input: ListChatMessages): Promise<ChatMessagePage> {
  const list = { name: 'chat messages', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(MessageModel.of(ctx)));
  return { items: rows.map((message) => message.present(ctx.ids)), nextCursor };
}

export async function sendMessage(
  ctx: OrganizationContext,
  { text }: Pick<SendChatMessage, 'text'>,
): Promise<ChatMessage> {
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'org:read');
    const { actor } = ctx;
    const message = await MessageModel.add(ctx, {
      userId: actor.kind === 'user' ? actor.user.id : null,
      apiKeyId: actor.kind === 'key' ? actor.key.id : null,
      text,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    });
    await record(ctx, ChatMessageCreated, { target: message, after: message, data: message.notice(ctx.ids) });
    return presentWithEtag(ctx, message);
  });
}

export async function editMessage(
  ctx: OrganizationContext,
  { messageId, text }: Pick<EditChatMessage, 'messageId' | 'text'>,
): Promise<ChatMessage> {
  return transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'org:read');
    const before = await findMessage(ctx, messageId);
    if (!before.isBy(ctx.actor)) throw new ApiError('not_your_message');
    ifMatch(ctx, before);
    const after = await change(ctx, before, { text });
    if (after !== before)
      await record(ctx, ChatMessageUpdated, { target: after, before, after, data: after.notice(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}

/** For good: events and the audit log never had the text. */
export async function deleteMessage(ctx: OrganizationContext, messageId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'org:read');
    const message = await findMessage(ctx, messageId);
    if (!message.isBy(ctx.actor) && !permissions.has('members:remove')) throw new ApiError('not_your_message');
    ifMatch(ctx, message);
    await MessageModel.of(ctx).where({ id: message.id }).delete();
    await record(ctx, ChatMessageDeleted, { target: message, before: message, data: message.notice(ctx.ids) });
  });
}

/** Locked: the purge may delete it at the same time. */
async function findMessage(ctx: OrganizationContext, messageId: string): Promise<MessageModel> {
  const id = ctx.ids.decode('msg', messageId);
  const message = await MessageModel.of(ctx).findOne({ id }).forUpdate();
  if (!message) throw new ApiError('not_found');
  return message;
}

/** The messages with these ids that there still are. */
export async function messagesOf(ctx: Tenancy, ids: readonly number[]): Promise<Map<number, MessageModel>> {
  const found = await MessageModel.of(ctx).whereIn('id', [...ids]);
  return new Map(found.map((message) => [message.id, message]));
}
