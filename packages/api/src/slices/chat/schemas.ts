import { z } from 'zod';
import { CreatedAt, UpdatedAt } from '../../contract/common-schemas.ts';
import { anyId, exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';

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
