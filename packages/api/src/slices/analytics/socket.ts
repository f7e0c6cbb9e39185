import type { Recent } from '@rentapi/platform/recent-calls';
import { z } from 'zod';
import { ApiError } from '../../contract/errors.ts';
import type { LiveCaller } from '../../pipeline/live-caller.ts';
import { type CallEnvironment, recentScope } from '../../pipeline/recent-calls.ts';
import { AuthMessage, PingMessage } from '../realtime/schemas.ts';
import { type Conversation, callerUpgrade, type Peer } from '../realtime/service/caller-socket.ts';
import { AnalyticsMessage, Environment } from './schemas.ts';
import { liveNumbers } from './service/real-time.ts';

/** `/api/v1/ws/analytics`: the numbers of the last 60 seconds, once a second. */
export const analyticsUpgrade = callerUpgrade<never>({
  path: '/api/v1/ws/analytics',
  access: 'analytics:read',
  name: 'ws.analytics',
  messages: z.discriminatedUnion('action', [AuthMessage, PingMessage]),
  usage: 'Send { "action": "auth", "token" } or { "action": "ping" }: the numbers come by themselves.',
  description: 'The calls of the last 60 seconds, once a second.',
  replies: {},
  sends: [AnalyticsMessage],
  assertAddress: ({ query }) => void environmentOf(query),
  converse: async (caller, peer, { query }) => report(caller, peer, environmentOf(query)),
});

function environmentOf(query: URLSearchParams): CallEnvironment {
  const parsed = Environment.safeParse(query.get('environment') ?? undefined);
  if (parsed.success) return parsed.data;
  throw new ApiError('invalid_input', { errors: [{ path: 'environment', message: 'must be `live` or `test`' }] });
}

/** A client that reads slowly gets the newest numbers, and misses the ones before. */
function report(caller: LiveCaller, peer: Peer, environment: CallEnvironment): Conversation<never> {
  const { ports, organization } = caller.ctx;
  let newest: Recent | null = null;
  let closed = false;
  let changed = Promise.withResolvers<void>();
  const unwatch = ports.recentCalls.watch(recentScope(organization.id, environment), (recent) => {
    newest = recent;
    changed.resolve();
  });

  return {
    async answer() {},
    async run() {
      for (;;) {
        await changed.promise;
        changed = Promise.withResolvers();
        if (closed) return;
        const recent = newest;
        if (!recent || !(await isConfirmed(caller))) continue;
        peer.send({ type: 'analytics', ...liveNumbers(recent, ports.clock.now()) });
        if (!(await peer.drained())) return;
      }
    },
    close() {
      closed = true;
      unwatch();
      changed.resolve();
    },
  };
}

/** While access cannot be checked nothing is sent; one that is lost has ended the socket. */
async function isConfirmed(caller: LiveCaller): Promise<boolean> {
  return caller.revalidate().then(
    () => true,
    () => false,
  );
}
