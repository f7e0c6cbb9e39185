import { type TrackedEnvelope, tracked } from '@trpc/server';
import type { ActorContext, Connection } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { authenticatedCaller, watchCaller } from '../../pipeline/live-caller.ts';
import type { RealtimeEvent, WatchEvents } from './schemas.ts';
import { type EventStream, openStream } from './stream.ts';

const MAX_SUBSCRIPTIONS = 20;

type Told = TrackedEnvelope<RealtimeEvent> | RealtimeEvent;

/**
 * The organization's events as a tRPC subscription, until the client stops it or may no more. Each goes under its id, with
 * which the client's link goes on after a reconnection; `api_call` has none.
 */
export async function* watchEvents(
  ctx: ActorContext,
  input: WatchEvents,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<Told, void, undefined> {
  const release = takePlace(ctx.connection);
  try {
    yield* follow(ctx, input, signal);
  } finally {
    release();
  }
}

function takePlace(connection: Connection | null): () => void {
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
): AsyncGenerator<Told, void, undefined> {
  let reason: ApiError | undefined;
  let stream: EventStream | undefined;
  const end = (why?: ApiError) => {
    reason ??= why;
    stream?.close();
    if (why) ctx.connection?.end?.();
  };
  const stop = () => end();
  const entry = authenticatedCaller(ctx, ctx.credential!); // `admit` has put it there
  // A connection that carries calls ends with its token as a whole: then its client renews it, and goes on by itself.
  const endsAsAWhole = ctx.connection?.end === null;
  const caller = watchCaller(endsAsAWhole ? { ...entry, expiresAt: null } : entry, end);
  signal.addEventListener('abort', stop, { once: true });
  try {
    // A client whose server stops connects again, to another, and goes on there: 503 tells its link to.
    stream = await openStream(caller, () => end(new ApiError('unavailable', { detail: 'The server is stopping.' })));
    await stream.subscribe(events, lastEventId ? await stream.placeOf(lastEventId) : undefined);
    while (!signal.aborted && !reason) {
      const told = await stream.next();
      if (told.length === 0) break;
      for (const event of told) {
        await ctx.connection?.drained();
        yield event.id === null ? event : tracked(event.id, event);
      }
    }
    if (reason) throw reason;
  } finally {
    signal.removeEventListener('abort', stop);
    caller.close();
    stream?.close();
  }
}
