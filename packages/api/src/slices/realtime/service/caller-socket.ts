import { describeIssue } from '@rentapi/platform/describe-issue';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Context, OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { toApiError } from '../../../contract/problem.ts';
import { assertAccess } from '../../../pipeline/admit.ts';
import { chargeFailedAttempt } from '../../../pipeline/limits.ts';
import {
  type AuthenticatedCaller,
  chargeFailedAuthentication,
  type LiveCaller,
  watchCaller,
} from '../../../pipeline/live-caller.ts';
import { ofOneCall } from '../../../pipeline/observe.ts';
import { logRefused } from '../../../pipeline/observe-socket.ts';
import { noteUsage } from '../../../pipeline/observe-usage.ts';
import { takeRoom } from '../../../pipeline/open-limits.ts';
import {
  CLOSE,
  CREDENTIAL_TIMEOUT_MS,
  closeFor,
  closeWith,
  drained,
  hasRoom,
  keepAlive,
  limitMessages,
} from '../../../wire/connection.ts';
import { parseJson } from '../../../wire/json.ts';
import type { RefusalDelay } from '../../../wire/refusal-delay.ts';
import type { SocketContract } from '../../../wire/socket-contract.ts';
import type { Handshake, Upgrade } from '../../../wire/sockets.ts';
import {
  AuthMessage,
  type CommonMessage,
  ErrorMessage,
  NotificationMessage,
  PingMessage,
  PongMessage,
  ReadyMessage,
} from '../schemas.ts';
import { onNotification } from './notifications.ts';
import { redeemTicket, redeemToken } from './tickets.ts';

const MAX_WAITING_MESSAGES = 20;

/** The name that a client gives a message: a refusal says which one it refuses. */
export const ClientId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\x21-\x7e]+$/, 'must be of printable ASCII without spaces');
const ClientIdOnly = z.object({ clientId: ClientId });

/** What a protocol adds to authentication, limits and the end of access. */
export interface SocketProtocol<Message extends { action: string }>
  extends Pick<SocketContract, 'name' | 'access' | 'description' | 'sends'>,
    Partial<Pick<SocketContract, 'carries'>> {
  path: string;
  /** What clients may send, and a sentence that says so. */
  messages: z.ZodType<Message | CommonMessage> & { options: readonly z.ZodObject<{ action: z.ZodLiteral<string> }>[] };
  usage: string;
  /** What answers each of its own messages; null where nothing does. */
  replies: Record<Message['action'], z.ZodType | null>;
  /** Begins to talk to a caller. */
  converse(caller: LiveCaller, peer: Peer, address: SocketAddress): Promise<Conversation<Message>>;
  /** Refuses a handshake before the upgrade, while that is an answer over HTTP. */
  assertAddress?(address: SocketAddress): void;
  /** The organization that the address names; else the credential decides. */
  organizationOf?(ctx: Context, address: SocketAddress): number;
}

export type SocketAddress = Pick<Handshake, 'query' | 'params'>;

/** The client at the other end. */
export interface Peer {
  /** JSON, or a text that was made before. */
  send(message: object | Buffer): void;
  /** True once most of what was sent is read; false when the client has gone, or was dropped for not reading. */
  drained(): Promise<boolean>;
  /** Closes the socket so that the client connects to another process. */
  goAway(): void;
}

export interface Conversation<Message> {
  /** Answers a message. */
  answer(message: Message): Promise<void>;
  /** Sends what the client has not requested one by one, until it ends. */
  run(): Promise<void>;
  close(): void;
}

/** An authenticated caller, and what is said with them. */
interface Session<Message> {
  caller: LiveCaller;
  conversation: Conversation<Message>;
}

interface SocketOptions {
  ctx: Context;
  address: SocketAddress;
  /** The caller that the URL authenticated; null where the first message has to. */
  authenticated: AuthenticatedCaller | null;
  refusalDelay: RefusalDelay;
}

/** A socket of callers, with what the document says of it. */
export interface CallerUpgrade extends Upgrade {
  contract: SocketContract;
}

/** Upgrades to a socket that belongs to one caller: a credential first, in the URL or as the first message. */
export function callerUpgrade<Message extends { action: string }>(protocol: SocketProtocol<Message>): CallerUpgrade {
  return {
    path: protocol.path,
    contract: contractOf(protocol),
    async open({ ctx, query, params, refusalDelay }) {
      const address = { query, params };
      protocol.assertAddress?.(address);
      const found = await chargeFailedAuthentication(ctx, authenticateUrl(ctx, protocol, address));
      const authenticated = found && withAccess(protocol, found);
      return (socket) => serveSocket(socket, protocol, { ctx, address, authenticated, refusalDelay });
    },
  };
}

function contractOf<Message extends { action: string }>({
  name,
  access,
  description,
  messages,
  replies,
  sends,
  carries = () => false,
}: SocketProtocol<Message>): SocketContract {
  const answered = new Map<string, z.ZodType | null>(Object.entries(replies));
  const requests = messages.options.map((message) => {
    if (message === AuthMessage) return { message, reply: ReadyMessage };
    if (message === PingMessage) return { message, reply: PongMessage };
    return { message, reply: answered.get(message.shape.action.value) ?? null };
  });
  return {
    name,
    access,
    description,
    requests,
    sends: [ReadyMessage, ErrorMessage, NotificationMessage, ...sends],
    carries,
  };
}

/** The caller, for as long as it has access. */
function withAccess(
  { access }: Pick<SocketProtocol<never>, 'access'>,
  caller: AuthenticatedCaller,
): AuthenticatedCaller {
  const allowed = (ctx: OrganizationContext): OrganizationContext => {
    assertAccess(ctx, { access }, { ...ctx, userId: undefined });
    return ctx;
  };
  return { ...caller, ctx: allowed(caller.ctx), reload: async (now) => allowed(await caller.reload(now)) };
}

function serveSocket<Message extends { action: string }>(
  socket: WebSocket,
  protocol: SocketProtocol<Message>,
  { ctx, address, authenticated, refusalDelay }: SocketOptions,
): void {
  let session: Session<Message> | undefined;
  /** Messages wait for each other: one that is sent right after `auth` finds the caller authenticated. */
  let turn = Promise.resolve();
  let waiting = 0;

  let sentBytes = 0;

  const isOpen = () => socket.readyState === socket.OPEN;
  const send = (message: object | Buffer): void => {
    const text = Buffer.isBuffer(message) ? message : Buffer.from(JSON.stringify(message));
    if (!isOpen() || !hasRoom(socket)) return;
    sentBytes += text.length;
    socket.send(text, { binary: false });
  };
  const peer: Peer = {
    send,
    drained: () => drained(socket),
    goAway: () => closeWith(socket, CLOSE.goingAway, 'server is stopping'),
  };
  const sendError = ({ errorCode, detail }: ApiError, clientId?: string): void =>
    send({ type: 'error', code: errorCode, detail, ...(clientId !== undefined && { clientId }) });
  const refuse = (
    error: unknown,
    call: Context,
    { action, clientId }: { action?: string | undefined; clientId?: string | undefined },
  ): ApiError => {
    const known = toApiError(error);
    logRefused(call, error, { procedure: protocol.name, action });
    sendError(known, clientId);
    return known;
  };
  const end = (reason: ApiError): void => {
    sendError(reason);
    closeFor(socket, reason);
  };

  async function begin(
    call: Context,
    authenticating: AuthenticatedCaller | Promise<AuthenticatedCaller>,
  ): Promise<void> {
    try {
      const authenticated = withAccess(protocol, await authenticating);
      const leave = await takeRoom(authenticated.ctx, 'sockets');
      socket.on('close', leave);
      if (!isOpen()) return leave();
      ctx.ports.connections.assign(socket, authenticated.ctx.organization.id);
      const caller = watchCaller(authenticated, end);
      socket.on('close', caller.close);
      socket.on(
        'close',
        onNotification(caller, (message) => notify(caller, message)),
      );
      const conversation = await protocol.converse(caller, peer, address);
      socket.on('close', conversation.close);
      session = { caller, conversation };
      if (!isOpen()) return close(session);
      sendReady(caller);
      conversation.run().catch((error) => ctx.ports.log.debug({ err: error }, 'socket ended'));
    } catch (error) {
      const reason = refuse(error, call, { action: 'auth' });
      await refusalDelay(socket);
      closeFor(socket, reason);
    }
  }

  /** To a caller of whom it is known that they may still see it. */
  function notify(caller: LiveCaller, message: NotificationMessage): void {
    caller.revalidate().then(
      () => send(message),
      () => {},
    );
  }

  function close({ caller, conversation }: Session<Message>): void {
    caller.close();
    conversation.close();
  }

  function sendReady({ expiresAt }: LiveCaller): void {
    send({ type: 'ready', expiresAt: expiresAt?.toISOString() ?? null });
  }

  /** The first authentication, or a newer token before the old one expires. */
  async function authenticate(call: Context, token: string): Promise<void> {
    const authenticating = chargeFailedAuthentication(call, redeem(call, token));
    if (!session) return begin(call, authenticating);
    session.caller.renew(withAccess(protocol, await authenticating));
    sendReady(session.caller);
  }

  async function redeem(call: Context, token: string): Promise<AuthenticatedCaller> {
    const named = protocol.organizationOf?.(call, address) ?? null;
    return redeemToken(call, token, session?.caller.ctx.organization.id ?? named);
  }

  async function answer(text: string): Promise<void> {
    const began = performance.now();
    const sentBefore = sentBytes;
    let call: Context = session?.caller.ctx ?? ctx;
    let action: string | undefined;
    let clientId: string | undefined;
    let status = 200;
    try {
      const json = parseJson(text);
      clientId = ClientIdOnly.safeParse(json).data?.clientId;
      const message = readMessage(protocol, json);
      action = message.action;
      if (message.action === 'auth') call = ofOneCall({ ...ctx, now: ctx.ports.clock.now() });
      await handle(message, call);
    } catch (error) {
      ({ status } = refuse(error, call, { action, clientId }));
    }
    if (action === 'ping') return; // keeps the connection open, as a probe
    const durationMs = performance.now() - began;
    const [bytesIn, bytesOut] = [Buffer.byteLength(text), sentBytes - sentBefore];
    noteUsage(call, { procedure: protocol.name, status, durationMs, bytesIn, bytesOut });
  }

  async function handle(message: Message | CommonMessage, call: Context): Promise<void> {
    if (isCommon(message)) {
      if (message.action === 'ping') return send({ type: 'pong' });
      return authenticate(call, message.token);
    }
    if (!session)
      throw new ApiError('credentials_required', { detail: 'Send { "action": "auth", "token": "…" } first.' });
    return session.conversation.answer(message);
  }

  keepAlive(socket);
  limitMessages(socket);
  socket.on('message', (data) => {
    if (++waiting > MAX_WAITING_MESSAGES) return closeWith(socket, CLOSE.tooMuch, 'sends faster than it is answered');
    turn = turn.then(() => (isOpen() ? answer(String(data)) : undefined)).finally(() => waiting--);
  });
  const timer = setTimeout(() => {
    if (session) return;
    closeWith(socket, CLOSE.unauthenticated, 'no credential in time');
    chargeFailedAttempt(ctx, new ApiError('credentials_required')).catch(() => {});
  }, CREDENTIAL_TIMEOUT_MS);
  socket.on('close', () => clearTimeout(timer));

  if (authenticated) turn = begin(ctx, authenticated);
}

function isCommon(message: { action: string }): message is CommonMessage {
  return message.action === 'auth' || message.action === 'ping';
}

/** The caller behind `?ticket=` or, where the settings allow it, `?token=`. */
async function authenticateUrl(
  ctx: Context,
  { organizationOf }: Pick<SocketProtocol<never>, 'organizationOf'>,
  address: SocketAddress,
): Promise<AuthenticatedCaller | null> {
  const [ticket, token] = [address.query.get('ticket'), address.query.get('token')];
  if (!ticket && !token) return null;
  const organizationId = organizationOf?.(ctx, address) ?? null;
  if (ticket) return redeemTicket(ctx, ticket, organizationId);
  if (token && ctx.ports.env.realtimeTokenInUrl) return redeemToken(ctx, token, organizationId);
  throw new ApiError('credential_in_url');
}

function readMessage<Message extends { action: string }>(
  { messages, usage }: SocketProtocol<Message>,
  json: unknown,
): Message | CommonMessage {
  const parsed = messages.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const isUnknown = !issue || issue.path.length === 0 || issue.path[0] === 'action';
  const fault = isUnknown ? '' : `\`${issue.path.join('.')}\` ${describeIssue(issue)}. `;
  throw new ApiError('invalid_input', { detail: fault + usage });
}
