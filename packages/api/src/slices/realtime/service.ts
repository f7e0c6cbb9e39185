import type { ActorContext, Context, OrganizationContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import type { Actor } from '../../pipeline/actor.ts';
import { currentOrganization } from '../../pipeline/admit.ts';
import { authenticate, loadSession } from '../../pipeline/authenticate.ts';
import { chargeRefusal } from '../../pipeline/limits.ts';
import { loadKey } from '../api-keys/authenticate.ts';
import { hashSecret } from '../api-keys/secret.ts';
import { newToken, tokenHash } from '../auth/tokens.ts';
import type { Ticket } from './schemas.ts';
import type { Entry } from './standing.ts';

const TICKET_TTL_S = 30;

/** A ticket stands for the caller as it is now, in the organization it is in now. */
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

/** Over a socket, too, a credential that is not good costs its source: or it would be the place to guess at. */
export async function letIn(ctx: Context, entering: Promise<Entry>): Promise<Entry> {
  try {
    return await entering;
  } catch (error) {
    await chargeRefusal(ctx, error);
    throw error;
  }
}

/** Who brings the ticket, for as long as the session or key behind it lives. Deleting makes it single: of two at once, one finds nothing. */
export async function redeemTicket(ctx: Context, ticket: string): Promise<Entry> {
  const [row]: TicketRow[] = await ctx
    .db('realtime_tickets')
    .whereRaw('/* across organizations */ ticket_hash = ?', [tokenHash(ticket)])
    .delete()
    .returning('*');
  if (!row || row.expiresAt <= ctx.now) throw new ApiError('invalid_ticket');
  const { organizationId } = row;
  if (row.sessionId !== null) {
    const session = await ctx.db('sessions').where({ id: row.sessionId }).first('publicId', 'userId');
    return entryOfSession(ctx, { sid: session.publicId, userId: session.userId, organizationId }, null);
  }
  const key = await ctx.db('api_keys').where({ organizationId, id: row.apiKeyId }).first('secretHash');
  return entryOfKey(ctx, key.secretHash);
}

/** Who brings an access token, for as long as it is good, or an API key; in `organizationId`, where that is given. */
export async function redeemToken(ctx: Context, token: string, organizationId: number | null): Promise<Entry> {
  const call = { ...ctx.call, authorization: `Bearer ${token}`, apiKey: undefined };
  return entryOfCall({ ...ctx, call }, organizationId);
}

/** Whoever the credential of the call says. */
export async function entryOfCall(ctx: Context, organizationId: number | null): Promise<Entry> {
  const actor = await authenticate(ctx, async () => organizationId);
  if (!actor) throw new ApiError('credentials_required');
  const bearer = ctx.call.authorization?.replace(/^Bearer +/i, '') ?? '';
  if (actor.kind === 'key') return entryOfKey(ctx, hashSecret(ctx.call.apiKey ?? bearer));
  const { expiresAt } = await ctx.ports.accessTokens.verify(bearer, ctx.now);
  const session = { sid: actor.session.publicId, userId: actor.user.id };
  return entryOfSession(ctx, { ...session, organizationId: inOrganization(ctx, actor).organization.id }, expiresAt);
}

async function entryOfSession(
  ctx: Context,
  { sid, userId, organizationId }: { sid: string; userId: number; organizationId: number },
  expiresAt: Date | null,
): Promise<Entry> {
  const named = { id: organizationId, headerId: null, subdomain: null };
  const again = async (now: Context) => inOrganization(now, await loadSession(now, { sid, userId, named }));
  return { ctx: await again(ctx), again, expiresAt };
}

async function entryOfKey(ctx: Context, secretHash: Buffer): Promise<Entry> {
  const again = async (now: Context) => inOrganization(now, await loadKey(now, secretHash));
  return { ctx: await again(ctx), again, expiresAt: null };
}

function inOrganization(ctx: Context, actor: Actor): OrganizationContext {
  const organization = currentOrganization(actor);
  if (!organization)
    throw new ApiError('permission_denied', { detail: 'Events belong to an organization, and you are in none.' });
  return { ...ctx, actor, organization };
}
