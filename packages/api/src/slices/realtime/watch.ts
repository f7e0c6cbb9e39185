import { type TrackedEnvelope, tracked } from '@trpc/server';
import type { ActorContext, Connection } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { authenticatedCaller, inOrganization, watchCaller } from '../../pipeline/live-caller.ts';
import { takeRoom } from '../../pipeline/open-limits.ts';
import { MAX_SUBSCRIPTIONS, type RealtimeEvent, type WatchEvents } from './schemas.ts';
import { onNotification } from './service/notifications.ts';
import { type EventStream, openStream } from './service/stream.ts';

type Message = TrackedEnvelope<RealtimeEvent> | RealtimeEvent;

/**
 * The organization's events as a tRPC subscription, until the client stops it or loses access. Each is sent under its
 * id, with which the client's link resumes after a reconnection; `api_call` has none.
 */
export async function* watchEvents(
  ctx: ActorContext,
  input: WatchEvents,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<Message, void, undefined> {
  const leaveConnection = takeRoomOf(ctx.connection);
  try {
    const leave = await takeRoom(inOrganization(ctx, ctx.actor), 'subscriptions');
    try {
      yield* follow(ctx, input, signal);
    } finally {
      leave();
    }
  } finally {
    leaveConnection();
  }
}

function takeRoomOf(connection: Connection | null): () => void {
  if (!connection) return () => {};
  if (connection.subscriptions >= MAX_SUBSCRIPTIONS) {
    throw new ApiError('limit_reached', {
      detail: `One connection carries at most ${MAX_SUBSCRIPTIONS} subscriptions: name all events in one.`,
    });
  }
  connection.subscriptions++;
  return () => void connection.subscriptions--;
}

async function* follow(
  ctx: ActorContext,
  { events, lastEventId }: WatchEvents,
  signal: AbortSignal,
): AsyncGenerator<Message, void, undefined> {
  let reason: ApiError | undefined;
  let stream: EventStream | undefined;
  const end = (why?: ApiError) => {
    reason ??= why;
    stream?.close();
    if (why) ctx.connection?.end?.();
  };
  const stop = () => end();
  const authenticated = authenticatedCaller(ctx, ctx.credential!); // set by `admit`
  // A connection of many calls ends with its token as a whole: its client then connects with the next one.
  const endsAsAWhole = ctx.connection?.end === null;
  const caller = watchCaller(endsAsAWhole ? { ...authenticated, expiresAt: null } : authenticated, end);
  const unlisten = onNotification(caller, ({ type: _, ...event }) => stream?.offer(event));
  signal.addEventListener('abort', stop, { once: true });
  try {
    // On a 503 the client's link connects to another process, and resumes there.
    stream = await openStream(caller, () => end(new ApiError('unavailable', { detail: 'The server is stopping.' })));
    await stream.subscribe(events, lastEventId ? await stream.positionOf(lastEventId) : undefined);
    while (!signal.aborted && !reason) {
      const next = await stream.next();
      if (next.length === 0) break;
      for (const event of next) {
        if (ctx.connection && !(await ctx.connection.drained())) return;
        yield event.id === null ? event : tracked(event.id, event);
      }
    }
    if (reason) throw reason;
  } finally {
    signal.removeEventListener('abort', stop);
    unlisten();
    caller.close();
    stream?.close();
  }
}
