import { z } from 'zod';
import { CreatedAt, Timestamp, UpdatedAt } from '../../contract/common-schemas.ts';
import { anyId, exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { AuthMessage, PingMessage } from '../realtime/schemas.ts';
import { ClientId } from '../realtime/service/caller-socket.ts';

export const MAX_TEXT = 4000;

/** Line breaks and tabs are text; the others change what a terminal or a log shows. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

const DESCRIPTION = 'Markdown, as it was written: the server renders nothing.';

const MessageText = z
  .string()
  .min(1, { abort: true })
  .max(MAX_TEXT, { abort: true })
  .refine((text) => !CONTROL.test(text), {
    message: 'must not contain control characters other than line breaks and tabs',
    abort: true,
  })
  .refine((text) => /\S/.test(text), 'must not be blank')
  .meta({ description: DESCRIPTION, example: 'The **new key** works.' });

export const ChatMessage = z
  .object({
    id: id('msg'),
    author: z
      .object({
        kind: z.enum(['user', 'key']).meta({ description: 'A member or an API key.', example: 'user' }),
        id: anyId(['usr', 'key']).meta({ description: 'Of the user or API key.', example: exampleId('usr') }),
      })
      .meta({ description: 'Who wrote it.' }),
    text: z.string().meta({ description: DESCRIPTION, example: 'The **new key** works.' }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({ id: 'ChatMessage', description: 'A message in the chat of an organization. It is kept for 90 days.' });
export type ChatMessage = z.output<typeof ChatMessage>;

export const exampleMessage: ChatMessage = {
  id: exampleId('msg'),
  author: { kind: 'user', id: exampleId('usr') },
  text: 'The **new key** works.',
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

/** Events are kept without end: a text in them would outlive its message. */
export const ChatMessageNotice = ChatMessage.omit({ text: true }).meta({
  id: 'ChatMessageNotice',
  description: 'A message without its text, which only the chat itself has.',
});
export type ChatMessageNotice = z.output<typeof ChatMessageNotice>;

export const ListChatMessages = pageInput({ orgId: id('org') });
export type ListChatMessages = z.output<typeof ListChatMessages>;
export const ChatMessagePage = page('ChatMessagePage', ChatMessage);
export type ChatMessagePage = z.output<typeof ChatMessagePage>;

export const SendChatMessage = z
  .strictObject({ orgId: id('org'), text: MessageText })
  .meta({ id: 'SendChatMessage', description: 'A new message.' });
export type SendChatMessage = z.output<typeof SendChatMessage>;

export const ChatMessageId = z.strictObject({ orgId: id('org'), messageId: id('msg') });

export const EditChatMessage = ChatMessageId.extend({ text: MessageText }).meta({
  id: 'EditChatMessage',
  description: 'The text of a message from now on.',
});
export type EditChatMessage = z.output<typeof EditChatMessage>;

const clientId = ClientId.optional().meta({
  description: 'A name of yours for it: the answer has it, also a refusal.',
});
const { id: messageId, text } = exampleMessage;
const EXAMPLE_TIME = exampleMessage.createdAt;

/** What a client sends on the socket of an organization. */
export const SendAction = z.strictObject({ action: z.literal('message.send'), text: MessageText, clientId }).meta({
  id: 'ChatSendMessage',
  description: 'Writes a message. Sent again with the same `clientId` within a day, it is written once.',
  example: { action: 'message.send', text, clientId: 'draft-1' },
});
export const EditAction = z
  .strictObject({ action: z.literal('message.edit'), id: id('msg'), text: MessageText, clientId })
  .meta({
    id: 'ChatEditMessage',
    description: 'Changes a message of your own.',
    example: { action: 'message.edit', id: messageId, text },
  });
export const DeleteAction = z.strictObject({ action: z.literal('message.delete'), id: id('msg'), clientId }).meta({
  id: 'ChatDeleteMessage',
  description: 'Deletes a message of your own, or, with the permission `members:remove`, any.',
  example: { action: 'message.delete', id: messageId },
});
export const TypingAction = z.strictObject({ action: z.literal('typing') }).meta({
  id: 'ChatTypingMessage',
  description: 'Shows the others for 5 seconds that you write. Sent more than once a second, it counts once.',
  example: { action: 'typing' },
});
export const ReadAction = z.strictObject({ action: z.literal('read'), messageId: id('msg'), clientId }).meta({
  id: 'ChatReadMessage',
  description: 'Marks everything up to this message as read. A mark never moves back.',
  example: { action: 'read', messageId },
});
export const ChatAction = z.discriminatedUnion('action', [
  AuthMessage,
  SendAction,
  EditAction,
  DeleteAction,
  TypingAction,
  ReadAction,
  PingMessage,
]);
export type ChatAction = z.output<typeof ChatAction>;

/** What the server sends on it, in addition to what every socket sends. */
export const AckMessage = z
  .object({
    type: z.literal('ack'),
    clientId: z.string().nullable().meta({ description: 'Of the message that it answers.' }),
    id: id('msg'),
  })
  .meta({
    id: 'ChatAckMessage',
    description: 'What was asked is done.',
    example: { type: 'ack', clientId: 'draft-1', id: messageId },
  });
export type AckMessage = z.output<typeof AckMessage>;

export const ChatRead = z
  .object({
    userId: id('usr'),
    messageId: id('msg').meta({ description: 'The last message that was read.' }),
    readAt: Timestamp.meta({ description: 'When.' }),
  })
  .meta({ id: 'ChatRead', description: 'How far a member has read.' });
export type ChatRead = z.output<typeof ChatRead>;
const exampleRead: ChatRead = { userId: exampleId('usr'), messageId, readAt: EXAMPLE_TIME };

export const JoinedMessage = z
  .object({
    type: z.literal('joined'),
    lastEventId: z.string().nullable().meta({
      description: 'Where to go on if the connection ends before the next event; null where there has been none.',
    }),
    reads: z.array(ChatRead).meta({ description: 'How far members have read: the 200 who have read furthest.' }),
  })
  .meta({
    id: 'ChatJoinedMessage',
    description: 'What happens in the chat is sent from now on.',
    example: { type: 'joined', lastEventId: exampleId('evt'), reads: [exampleRead] },
  });
export type JoinedMessage = z.output<typeof JoinedMessage>;

export const PresenceMessage = z
  .object({
    type: z.literal('presence'),
    members: z.array(id('usr')).meta({ description: 'The users who are connected, at most 200.' }),
    total: z.int().meta({ description: 'How many there are.', example: 1 }),
  })
  .meta({
    id: 'ChatPresenceMessage',
    description: 'Who is connected to the chat: at first, and whenever that changes.',
    example: { type: 'presence', members: [exampleId('usr')], total: 1 },
  });
export type PresenceMessage = z.output<typeof PresenceMessage>;

export const TypingMessage = z
  .object({
    type: z.literal('typing'),
    userId: id('usr'),
    expiresAt: Timestamp.meta({ description: 'Until when to show it.' }),
  })
  .meta({
    id: 'ChatTypingNotice',
    description: 'A member writes. It is not stored.',
    example: { type: 'typing', userId: exampleId('usr'), expiresAt: EXAMPLE_TIME },
  });
export type TypingMessage = z.output<typeof TypingMessage>;

const eventId = id('evt').meta({ description: 'Resumes after this event, as `lastEventId`.' });

/** Events of messages as this socket sends them: with the text as it is now. */
const messageEvent = <Name extends string>(name: Name, component: string, description: string) =>
  z
    .object({
      type: z.literal('event'),
      id: eventId,
      event: z.literal(name),
      createdAt: Timestamp.meta({ description: 'When it happened.' }),
      data: ChatMessage,
    })
    .meta({
      id: component,
      description,
      example: { type: 'event', id: exampleId('evt'), event: name, createdAt: EXAMPLE_TIME, data: exampleMessage },
    });
export const CreatedWithText = messageEvent(
  'chat.message_created',
  'ChatMessageCreatedWithText',
  'A message was written.',
);
export const UpdatedWithText = messageEvent(
  'chat.message_updated',
  'ChatMessageUpdatedWithText',
  'A message was changed.',
);

export const ReadMessage = z
  .object({
    type: z.literal('event'),
    id: z.null().meta({ description: 'It is sent once: what is stored is how far each member has read.' }),
    event: z.literal('chat.read'),
    createdAt: Timestamp.meta({ description: 'When.' }),
    data: ChatRead,
  })
  .meta({
    id: 'ChatReadNotice',
    description: 'A member has read further.',
    example: { type: 'event', id: null, event: 'chat.read', createdAt: EXAMPLE_TIME, data: exampleRead },
  });
export type ReadMessage = z.output<typeof ReadMessage>;
