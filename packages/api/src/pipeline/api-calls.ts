import type { Context } from '../context.ts';

/** The topic of an organization's API calls. Nothing is stored: a call without a subscriber is gone. */
export const apiCallTopic = (organizationId: number): string => `api_call:${organizationId}`;

/** Publishes a call made with an API key. */
export function publishApiCall(ctx: Context, procedure: string, status: number, durationMs: number): void {
  if (ctx.actor?.kind !== 'key') return;
  ctx.ports.pubsub.publish(apiCallTopic(ctx.actor.key.organizationId), {
    keyId: ctx.ids.encode('key', ctx.actor.key.id),
    procedure,
    status,
    durationMs: Math.round(durationMs * 100) / 100,
    requestId: ctx.request.requestId,
  });
}
