import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { ActorContext, Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import {
  type AuthenticatedCaller,
  authenticateConnection,
  authenticatedCaller,
  inOrganization,
} from '../../../pipeline/live-caller.ts';
import { authenticateKeyHash } from '../../api-keys/authenticate.ts';
import { authenticateSession } from '../../auth/service/authenticate.ts';
import type { Ticket } from '../schemas.ts';

const TICKET_TTL_S = 30;

/** A ticket for the present session or key, in the present organization. */
export async function issueTicket(ctx: ActorContext): Promise<Ticket> {
  const { organization } = inOrganization(ctx, ctx.actor);
  const ticket = newToken();
  await ctx.db('realtime_tickets').insert({
    ticketHash: tokenHash(ticket),
    sessionId: ctx.actor.kind === 'user' ? ctx.actor.session.id : null,
    apiKeyId: ctx.actor.kind === 'key' ? ctx.actor.key.id : null,
    organizationId: organization.id,
    expiresAt: new Date(ctx.now.getTime() + TICKET_TTL_S * 1000),
  });
  return { ticket, expiresIn: TICKET_TTL_S };
}

interface TicketRow {
  sessionId: number | null;
  apiKeyId: number | null;
  organizationId: number;
  expiresAt: Date;
}

/**
 * The ticket's caller, for as long as its session or key lives; in `wanted`, where the address names an organization.
 * Of two concurrent uses, one finds the row deleted.
 */
export async function redeemTicket(ctx: Context, ticket: string, wanted: number | null): Promise<AuthenticatedCaller> {
  const [row]: TicketRow[] = await ctx
    .db('realtime_tickets')
    .whereRaw('/* across organizations */ ticket_hash = ?', [tokenHash(ticket)])
    .delete()
    .returning('*');
  if (!row || row.expiresAt <= ctx.now) throw new ApiError('invalid_ticket');
  const { organizationId } = row;
  if (row.sessionId !== null) {
    const { publicId: sid, userId } = await ctx.db('sessions').where({ id: row.sessionId }).first('publicId', 'userId');
    const named = { id: wanted ?? organizationId, headerId: null, subdomain: null };
    return authenticatedCaller(ctx, await authenticateSession(ctx, { sid, userId, named }, null));
  }
  if (wanted !== null && wanted !== organizationId) throw new ApiError('not_found');
  const key = await ctx.db('api_keys').where({ organizationId, id: row.apiKeyId }).first('secretHash');
  return authenticatedCaller(ctx, await authenticateKeyHash(ctx, key.secretHash));
}

/** The caller of an access token or an API key; in `organizationId`, where that is given. */
export async function redeemToken(
  ctx: Context,
  token: string,
  organizationId: number | null,
): Promise<AuthenticatedCaller> {
  const call = { ...ctx.request, authorization: `Bearer ${token}`, apiKey: undefined };
  return authenticateConnection({ ...ctx, request: call }, organizationId);
}
