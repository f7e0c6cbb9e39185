import { NoContent } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  ChatMessage,
  ChatMessageId,
  ChatMessagePage,
  EditChatMessage,
  exampleMessage,
  ListChatMessages,
  SendChatMessage,
} from './schemas.ts';
import { deleteMessage, editMessage, listMessages, sendMessage } from './service/messages.ts';

const tags: [Tag] = ['Chat'];
const orgId = exampleId('org');
const { id: messageId, text } = exampleMessage;

/** Part of `orgs`. */
export const chat = router({
  list: procedure({
    access: 'org:read',
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}/chat/messages',
      tags,
      summary: 'List the messages of the chat',
      description: 'Newest first, those of the last 90 days. New ones come over the socket of the organization.',
    },
    errors: ['invalid_cursor'],
    example: { input: { orgId, limit: 25 }, output: { items: [exampleMessage], nextCursor: null } },
  })
    .input(ListChatMessages)
    .output(ChatMessagePage)
    .query(({ ctx, input }) => listMessages(ctx, input)),

  send: procedure({
    access: 'org:read',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/chat/messages',
      tags,
      summary: 'Write a message in the chat',
      description:
        'Every member can, and every key with the scope `org:read`, which `read:*` contains; all of them can read it. It is Markdown that the server does not render: allow no HTML where you show it, and links with http, https and mailto only.',
    },
    rest: { status: 201 },
    example: { input: { orgId, text }, output: exampleMessage },
  })
    .input(SendChatMessage)
    .output(ChatMessage)
    .mutation(({ ctx, input }) => sendMessage(ctx, input)),

  edit: procedure({
    access: 'org:read',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/organizations/{orgId}/chat/messages/{messageId}',
      tags,
      summary: 'Change a message in the chat',
      description: 'One that you wrote yourself.',
    },
    errors: ['not_your_message', 'version_mismatch'],
    example: { input: { orgId, messageId, text }, output: exampleMessage },
  })
    .input(EditChatMessage)
    .output(ChatMessage)
    .mutation(({ ctx, input }) => editMessage(ctx, input)),

  delete: procedure({
    access: 'org:read',
    openapi: {
      method: 'DELETE',
      path: '/organizations/{orgId}/chat/messages/{messageId}',
      tags,
      summary: 'Delete a message from the chat',
      description:
        'One that you wrote yourself, or, with the permission `members:remove`, any. Its text is gone at once.',
    },
    rest: { status: 204 },
    errors: ['not_your_message', 'version_mismatch'],
    example: { input: { orgId, messageId } },
  })
    .input(ChatMessageId)
    .output(NoContent)
    .mutation(({ ctx, input }) => deleteMessage(ctx, input.messageId)),
});
