import type { ActorContext, Context, OrganizationContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import type { Actor } from '../../pipeline/actor.ts';
import { currentOrganization } from '../../pipeline/admit.ts';
import { authenticate, loadSession } from '../../pipeline/authenticate.ts';
import { loadKey } from '../api-keys/authenticate.ts';
import { newToken, tokenHash } from '../auth/tokens.ts';
import type { Ticket } from './schemas.ts';

const TICKET_TTL_S = 30;

/** A ticket stands for the caller as it is now, in the organization it is in now. */
export async function issueTicket(ctx: ActorContext): Promise<Ticket> {
  if (!ctx.organization)
    throw new ApiError('permission_denied', { detail: 'Events belong to an organization, and you are in none.' });
  const ticket = newToken();
  await ctx.db('realtime_tickets').insert({
    ticketHash: tokenHash(ticket),
    sessionId: ctx.actor.kind === 'user' ? ctx.actor.session.id : null,
    apiKeyId: ctx.actor.kind === 'key' ? ctx.actor.key.id : null,
    organizationId: ctx.organization.id,
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

/** Who brings the ticket. Deleting is what makes it single: of two at once, one finds nothing. */
export async function redeemTicket(ctx: Context, ticket: string): Promise<OrganizationContext> {
  const [row]: TicketRow[] = await ctx
    .db('realtime_tickets')
    .where({ ticketHash: tokenHash(ticket) })
    .delete()
    .returning('*');
  if (!row || row.expiresAt <= ctx.now) throw new ApiError('invalid_ticket');
  const { organizationId } = row;
  if (row.sessionId !== null) {
    const session = await ctx.db('sessions').where({ id: row.sessionId }).first('publicId', 'userId');
    const named = { id: organizationId, headerId: null, subdomain: null };
    return enter(ctx, await loadSession(ctx, { sid: session.publicId, userId: session.userId, named }));
  }
  const key = await ctx.db('api_keys').where({ organizationId, id: row.apiKeyId }).first('secretHash');
  return enter(ctx, await loadKey(ctx, key.secretHash));
}

/** Who brings an access token or an API key. */
export async function redeemToken(ctx: Context, token: string): Promise<OrganizationContext> {
  const authorized = { ...ctx, call: { ...ctx.call, authorization: `Bearer ${token}`, apiKey: undefined } };
  const actor = await authenticate(authorized, null);
  if (!actor) throw new ApiError('credentials_required');
  return enter(ctx, actor);
}

function enter(ctx: Context, actor: Actor): OrganizationContext {
  const organization = currentOrganization(actor);
  if (!organization)
    throw new ApiError('permission_denied', { detail: 'Events belong to an organization, and you are in none.' });
  return { ...ctx, actor, organization };
}
