import type { OrganizationContext } from '../../../context.ts';
import type { RealtimeEvent, SentEvent } from '../../realtime/schemas.ts';
import { messageOf } from '../../realtime/service/event-message.ts';
import { ChatMessageDeleted } from '../events.ts';
import { ChatMessageNotice } from '../schemas.ts';
import { messagesOf } from './messages.ts';

/** What all readers in a process get of one event is made for the first of them. */
const made = new WeakMap<RealtimeEvent, Promise<Buffer | null>>();

/**
 * Events of messages as sockets send them: with the texts, which no event has. Left out are those of messages that are
 * gone: the event of their end follows.
 */
export async function withTexts(ctx: OrganizationContext, events: readonly RealtimeEvent[]): Promise<Buffer[]> {
  const fresh = events.filter((event) => !made.has(event));
  if (fresh.length > 0) {
    const texts = readTexts(ctx, fresh);
    for (const event of fresh)
      made.set(
        event,
        texts.then((found) => found.get(event) ?? null),
      );
    texts.catch(() => {
      for (const event of fresh) made.delete(event); // so that the next attempt reads them
    });
  }
  const sent = await Promise.all(events.map((event) => made.get(event)));
  return sent.flatMap((message) => message ?? []);
}

async function readTexts(
  ctx: OrganizationContext,
  events: readonly RealtimeEvent[],
): Promise<Map<RealtimeEvent, Buffer>> {
  const ended = events.filter(({ event }) => event === ChatMessageDeleted.name);
  const others = events.flatMap((event) => {
    const notice = event.event === ChatMessageDeleted.name ? null : ChatMessageNotice.safeParse(event.data).data;
    return notice ? [{ event, id: ctx.ids.decode('msg', notice.id) }] : []; // one that was erased is empty
  });
  const messages = await messagesOf(
    { ...ctx, db: ctx.ports.database },
    others.map(({ id }) => id),
  );
  const sent = new Map(ended.map((event) => [event, messageOf(event)]));
  for (const { event, id } of others) {
    const data = messages.get(id)?.present(ctx.ids);
    const message: SentEvent = { type: 'event', ...event, data };
    if (data) sent.set(event, Buffer.from(JSON.stringify(message)));
  }
  return sent;
}
