import type { PubSub } from '@rentapi/platform/pubsub';
import type { Context } from '../context.ts';
import type { Ids } from '../contract/ids.ts';

/** The topic of an organization's API calls, several in one message. Nothing is stored: what no one watches is gone. */
export const apiCallsTopic = (organizationId: number): string => `api_calls:${organizationId}`;

/** A call made with an API key. */
interface EndedCall {
  organizationId: number;
  keyId: number;
  procedure: string;
  status: number;
  durationMs: number;
  requestId: string;
}

/** Publishes calls for the sockets of all processes. */
export interface ApiCalls {
  /** Never waits and never throws. */
  note(call: EndedCall): void;
  /** Publishes what is kept. */
  close(): void;
}

/** With Redis each message is a write to a socket, which would cost as much as answering the call. */
const FLUSH_MS = 20;
const MAX_WAITING = 500;

export function createApiCalls({ pubsub, ids }: { pubsub: PubSub; ids: Ids }): ApiCalls {
  let kept: EndedCall[] = [];
  let timer: NodeJS.Timeout | undefined;

  function publish(): void {
    clearTimeout(timer);
    timer = undefined;
    const calls = Map.groupBy(kept, ({ organizationId }) => organizationId);
    kept = [];
    for (const [organizationId, some] of calls) pubsub.publish(apiCallsTopic(organizationId), some.map(present));
  }

  const present = ({ keyId, procedure, status, durationMs, requestId }: EndedCall) => ({
    keyId: ids.encode('key', keyId),
    procedure,
    status,
    durationMs: Math.round(durationMs * 100) / 100,
    requestId,
  });

  return {
    note(call) {
      kept.push(call);
      if (kept.length >= MAX_WAITING) publish();
      else timer ??= setTimeout(publish, FLUSH_MS).unref();
    },
    close: publish,
  };
}

/** Publishes a call if it was made with an API key. */
export function publishApiCall(
  { actor, ports, request: { requestId } }: Context,
  procedure: string,
  { status, durationMs }: Pick<EndedCall, 'status' | 'durationMs'>,
): void {
  if (actor?.kind !== 'key') return;
  const { id: keyId, organizationId } = actor.key;
  ports.apiCalls.note({ organizationId, keyId, procedure, status, durationMs, requestId });
}
