import { z } from 'zod';
import type { Context } from '../../context.ts';

/** Who asked for work that a job does later: audit rows and security events name the request, not the job. */
export const Requester = z.object({
  ip: z.string(),
  userAgent: z.string().nullable(),
  requestId: z.string(),
  at: z.iso.datetime(),
});

export function requesterOf({ request, now }: Context): z.output<typeof Requester> {
  const { ip, userAgent, requestId } = request;
  return { ip, userAgent, requestId, at: now.toISOString() };
}

/** The context of a job, as of the request. */
export function onBehalfOf(ctx: Context, { at, ...request }: z.output<typeof Requester>): Context {
  return { ...ctx, now: new Date(at), request: { ...ctx.request, ...request } };
}
