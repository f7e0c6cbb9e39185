import { setTimeout as sleep } from 'node:timers/promises';
import type { OrganizationContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { id } from '../../contract/ids.ts';
import { toApiError } from '../../contract/problem.ts';
import { idempotently } from '../../pipeline/idempotency.ts';
import { enforceCallerLimits } from '../../pipeline/limits.ts';
import type { LiveCaller } from '../../pipeline/live-caller.ts';
import type { RealtimeEvent } from '../realtime/schemas.ts';
import { type Conversation, callerUpgrade, type Peer } from '../realtime/service/caller-socket.ts';
import { openStream } from '../realtime/service/stream.ts';
import { ChatMessageDeleted } from './events.ts';
import {
  AckMessage,
  ChatAction,
  ChatMessage,
  CreatedWithText,
  JoinedMessage,
  PresenceMessage,
  ReadMessage,
  TypingMessage,
  UpdatedWithText,
} from './schemas.ts';
import { withTexts } from './service/event-text.ts';
import { deleteMessage, editMessage, sendMessage } from './service/messages.ts';
import { listReads, markRead, presentRead } from './service/reads.ts';
import { openSignals, publishRead, publishTyping } from './service/signals.ts';

type OwnMessage = Exclude<ChatAction, { action: 'auth' | 'ping' }>;
type Request = Exclude<OwnMessage, { action: 'typing' }>;

const RETRY_MS = 250;
const TYPING_EVERY_MS = 1000;
const OrganizationId = id('org');

/** `/api/v1/ws/organizations/{orgId}`: the chat of an organization, and who is there. */
export const organizationUpgrade = callerUpgrade<OwnMessage>({
  path: '/api/v1/ws/organizations/{orgId}',
  access: 'org:read',
  name: 'ws.organization',
  messages: ChatAction,
  usage:
    'Send { "action": "auth", "token" }, { "action": "message.send", "text", "clientId"? }, { "action": "message.edit", "id", "text" }, { "action": "message.delete", "id" }, { "action": "typing" }, { "action": "read", "messageId" } or { "action": "ping" }.',
  description:
    'The chat of an organization: its messages, who is connected, who writes, and how far members have read.',
  replies: {
    'message.send': AckMessage,
    'message.edit': AckMessage,
    'message.delete': AckMessage,
    read: AckMessage,
    typing: null,
  },
  sends: [JoinedMessage, CreatedWithText, UpdatedWithText, ReadMessage, PresenceMessage, TypingMessage],
  carries: (event) => event === ChatMessageDeleted.name,
  assertAddress({ params: { orgId } }) {
    if (OrganizationId.safeParse(orgId).success) return;
    throw new ApiError('invalid_input', { errors: [{ path: 'orgId', message: 'must be the id of an organization' }] });
  },
  organizationOf: ({ ids }, { params }) => ids.decode('org', params['orgId'] ?? ''),
  converse: (caller, peer, { query }) => join(caller, peer, query.get('lastEventId')),
});

async function join(caller: LiveCaller, peer: Peer, lastEventId: string | null): Promise<Conversation<OwnMessage>> {
  const stream = await openStream(caller, peer.goAway);
  const signals = openSignals(caller);
  const { ports, organization } = caller.ctx;
  let typedAt = 0;

  async function subscribe(): Promise<JoinedMessage> {
    const from = lastEventId === null ? undefined : await stream.positionOf(lastEventId || null);
    const last = await stream.subscribe(['chat.*'], from);
    const reads = await listReads({ db: ports.database, organization });
    return { type: 'joined', lastEventId: last, reads: reads.map((mark) => presentRead(caller.ctx.ids, mark)) };
  }

  /** An event that is not kept any more is no reason to leave: the client reads the history, and goes on from here. */
  async function begin(): Promise<JoinedMessage> {
    return subscribe().catch((error: unknown) => {
      const { errorCode, detail, status } = toApiError(error);
      if (status >= 500) throw error;
      peer.send({ type: 'error', code: errorCode, detail });
      lastEventId = null;
      return subscribe();
    });
  }

  /** While the database is away nothing is sent, and nothing lost. */
  async function patiently<T>(work: () => Promise<T>): Promise<T | null> {
    while (!signals.isClosed) {
      try {
        return await work();
      } catch (error) {
        ports.log.debug({ err: error }, 'the chat waits');
        await sleep(RETRY_MS);
      }
    }
    return null;
  }

  /** False when the client has gone. */
  async function sendAll(messages: readonly (object | Buffer)[]): Promise<boolean> {
    for (const message of messages) {
      peer.send(message);
      if (!(await peer.drained())) return false;
    }
    return true;
  }

  async function sendEvents(): Promise<void> {
    const next = (): Promise<RealtimeEvent[]> => stream.next();
    for (let events = await next(); events.length > 0; events = await next()) {
      const messages = await patiently(() => withTexts(caller.ctx, events));
      if (!messages || !(await sendAll(messages))) return;
    }
  }

  async function sendSignals(): Promise<void> {
    for (;;) {
      await signals.changed();
      await patiently(() => caller.revalidate());
      if (signals.isClosed || !(await sendAll(signals.take()))) return;
    }
  }

  async function type(): Promise<void> {
    await caller.revalidate();
    const { actor, now } = callOf(caller);
    if (actor.kind !== 'user') throw new ApiError('user_required');
    if (now.getTime() - typedAt < TYPING_EVERY_MS) return;
    typedAt = now.getTime();
    publishTyping(ports, organization.id, actor.user.id);
  }

  return {
    async answer(message) {
      if (message.action === 'typing') return type();
      await caller.revalidate();
      const ctx = callOf(caller);
      await enforceCallerLimits(ctx, {}, ctx.actor);
      const ack: AckMessage = { type: 'ack', clientId: message.clientId ?? null, id: await perform(ctx, message) };
      peer.send(ack);
    },
    async run() {
      const joined = await patiently(begin);
      if (!joined) return;
      peer.send(joined);
      await Promise.all([sendEvents(), sendSignals()]);
    },
    close() {
      stream.close();
      signals.close();
    },
  };
}

/** A call of its own: what the handshake's headers say belongs to none of them. */
function callOf({ ctx }: LiveCaller): OrganizationContext {
  const request = { ...ctx.request, idempotencyKey: undefined, ifMatch: undefined, ifNoneMatch: undefined };
  return { ...ctx, now: ctx.ports.clock.now(), request, responseHeaders: {} };
}

/** Does what is asked, and returns the id of the message that it is about. */
async function perform(ctx: OrganizationContext, message: Request): Promise<string> {
  if (message.action === 'message.send') return sendOnce(ctx, message);
  if (message.action === 'read') {
    const mark = await markRead(ctx, message.messageId);
    if (mark) publishRead(ctx.ports, ctx.organization.id, mark);
    return message.messageId;
  }
  if (message.action === 'message.edit') await editMessage(ctx, { messageId: message.id, text: message.text });
  else await deleteMessage(ctx, message.id);
  return message.id;
}

/** A client that missed the answer sends the message again under the same `clientId`. */
async function sendOnce(
  ctx: OrganizationContext,
  { text, clientId }: Extract<Request, { action: 'message.send' }>,
): Promise<string> {
  if (clientId === undefined) return (await sendMessage(ctx, { text })).id;
  const keyed = { ...ctx, request: { ...ctx.request, idempotencyKey: clientId } };
  const sent = await idempotently(keyed, { procedure: 'ws.organization' }, { text }, ({ db }) =>
    sendMessage({ ...ctx, db }, { text }),
  );
  return ChatMessage.parse(sent).id;
}
