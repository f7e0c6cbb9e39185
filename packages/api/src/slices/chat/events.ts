import { event } from '../../events/event.ts';
import { ChatMessageNotice, exampleMessage } from './schemas.ts';

const { text: _, ...example } = exampleMessage;
const visibleToOrganization = {
  data: ChatMessageNotice,
  audience: 'organization',
  permission: 'org:read',
  example,
} as const;

export const ChatMessageCreated = event('chat.message_created', {
  ...visibleToOrganization,
  description: 'A message was written in the chat. Its text is read from the chat.',
});
export const ChatMessageUpdated = event('chat.message_updated', {
  ...visibleToOrganization,
  description: 'The author of a message in the chat changed its text.',
});
export const ChatMessageDeleted = event('chat.message_deleted', {
  ...visibleToOrganization,
  description: 'A message in the chat was deleted.',
});
