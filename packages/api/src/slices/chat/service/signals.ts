import type { Present } from '@rentapi/platform/presence';
import { z } from 'zod';
import type { Ports } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import type { LiveCaller } from '../../../pipeline/live-caller.ts';
import type { PresenceMessage, ReadMessage, TypingMessage } from '../schemas.ts';
import { presentRead, type ReadMark } from './reads.ts';

/** What is not stored, or stored without an event: who is there, who writes, how far members have read. */
export interface Signals {
  /** Resolves when there is something to send, or they are closed. */
  changed(): Promise<void>;
  /** What is to be sent: of each member the newest only. */
  take(): (PresenceMessage | TypingMessage | ReadMessage)[];
  readonly isClosed: boolean;
  close(): void;
}

const TYPING_MS = 5000;
/** Members who write or read at once, beyond whom the others are left out. */
const MAX_WAITING = 200;

const Signal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('typing'), userId: z.int() }),
  z.object({ kind: z.literal('read'), userId: z.int(), messageId: z.int(), readAt: z.string() }),
]);

const topicOf = (organizationId: number): string => `chat:${organizationId}`;

export function publishTyping({ pubsub }: Ports, organizationId: number, userId: number): void {
  const signal: z.input<typeof Signal> = { kind: 'typing', userId };
  pubsub.publish(topicOf(organizationId), signal);
}

export function publishRead({ pubsub }: Ports, organizationId: number, { readAt, ...mark }: ReadMark): void {
  const signal: z.input<typeof Signal> = { kind: 'read', ...mark, readAt: iso(readAt) };
  pubsub.publish(topicOf(organizationId), signal);
}

/** The signals of the caller's organization, for one reader. A user who reads them is there until they are closed. */
export function openSignals({ ctx: { actor, ids, organization, ports } }: LiveCaller): Signals {
  const room = String(organization.id);
  const userId = actor.kind === 'user' ? actor.user.id : null;
  const typing = new Set<number>();
  const reads = new Map<number, ReadMark>();
  let present: Present | null = null;
  let closed = false;
  let change = Promise.withResolvers<void>();

  const unsubscribe = ports.pubsub.subscribe(topicOf(organization.id), (message) => {
    const signal = Signal.safeParse(message).data;
    if (!signal) return;
    if (signal.kind === 'read') {
      if (reads.size < MAX_WAITING || reads.has(signal.userId))
        reads.set(signal.userId, { ...signal, readAt: new Date(signal.readAt) });
    } else if (signal.userId !== userId && typing.size < MAX_WAITING) typing.add(signal.userId);
    change.resolve();
  });
  const leave = userId === null ? () => {} : ports.presence.enter(room, String(userId));
  const unwatch = ports.presence.watch(room, (now) => {
    present = now;
    change.resolve();
  });

  const isWaiting = () => present !== null || typing.size + reads.size > 0;

  function presenceOf({ members, total }: Present): PresenceMessage {
    return { type: 'presence', members: members.map((member) => ids.encode('usr', Number(member))), total };
  }

  return {
    get isClosed() {
      return closed;
    },
    async changed() {
      if (closed || isWaiting()) return;
      change = Promise.withResolvers();
      await change.promise;
    },
    take() {
      const expiresAt = iso(new Date(ports.clock.now().getTime() + TYPING_MS));
      const messages = [
        ...(present ? [presenceOf(present)] : []),
        ...[...typing].map((id): TypingMessage => ({ type: 'typing', userId: ids.encode('usr', id), expiresAt })),
        ...[...reads.values()].map((mark): ReadMessage => {
          const data = presentRead(ids, mark);
          return { type: 'event', id: null, event: 'chat.read', createdAt: data.readAt, data };
        }),
      ];
      present = null;
      typing.clear();
      reads.clear();
      return messages;
    },
    close() {
      if (closed) return;
      closed = true;
      unsubscribe();
      unwatch();
      leave();
      change.resolve();
    },
  };
}
