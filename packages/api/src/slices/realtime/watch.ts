import { type TrackedEnvelope, tracked } from '@trpc/server';
import type { ActorContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import type { ToldEvent, WatchEvents } from './schemas.ts';
import { entryOfCall } from './service.ts';
import { takeStanding } from './standing.ts';
import { type EventStream, openStream } from './stream.ts';

const MAX_SUBSCRIPTIONS = 20;

/**
 * The organization's events as a tRPC subscription, until the client stops it or may no more. Each goes under its id, with
 * which the client's link goes on after a reconnection; `api_call` has none.
 */
export async function* watchEvents(
  ctx: ActorContext,
  { events, lastEventId }: WatchEvents,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrackedEnvelope<ToldEvent> | ToldEvent, void, undefined> {
  const { connection } = ctx;
  if (connection && connection.subscriptions >= MAX_SUBSCRIPTIONS) {
    throw new ApiError('limit_reached', {
      detail: `One connection carries at most ${MAX_SUBSCRIPTIONS} subscriptions: name all events in one.`,
    });
  }
  let reason: ApiError | undefined;
  let stream: EventStream | undefined;
  const end = (why?: ApiError) => {
    reason ??= why;
    stream?.close();
  };
  const entry = await entryOfCall(ctx, ctx.organization?.id ?? null);
  const standing = takeStanding(entry, end);
  const stop = () => end();
  signal?.addEventListener('abort', stop, { once: true });
  if (connection) connection.subscriptions++;
  try {
    // A client whose server stops connects again, to another, and goes on there: 503 tells its link to.
    stream = await openStream(standing, () => end(new ApiError('unavailable', { detail: 'The server is stopping.' })));
    stream.subscribe(events, lastEventId ? await stream.placeOf(lastEventId) : undefined);
    while (!signal?.aborted && !reason) {
      const told = await stream.next();
      if (told.length === 0) break;
      for (const event of told) {
        await connection?.drained();
        yield event.id === null ? event : tracked(event.id, event);
      }
    }
    if (reason) throw reason;
  } finally {
    signal?.removeEventListener('abort', stop);
    if (connection) connection.subscriptions--;
    standing.close();
    stream?.close();
  }
}
