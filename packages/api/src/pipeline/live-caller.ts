import type { Context, OrganizationContext } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import type { InvalidationKey } from '../data/model-facts.ts';
import type { Actor } from './actor.ts';
import { currentOrganization } from './admit.ts';
import { authenticate } from './authenticate.ts';
import type { Authenticated } from './credential.ts';
import { chargeFailedAttempt } from './limits.ts';
import { noteCaller } from './observe.ts';

/** An authenticated caller in an organization, and how to check again whether it still is one. */
export interface AuthenticatedCaller {
  /** `ctx.credential` is the credential that it authenticated with. */
  ctx: OrganizationContext;
  reload: (ctx: Context) => Promise<OrganizationContext>;
  /** When the credential itself expires; null where it lives as long as its session or key. */
  expiresAt: Date | null;
}

/** What the caller of a long-lived connection may do, kept current while it lasts. */
export interface LiveCaller {
  /** The caller as last confirmed. */
  readonly ctx: OrganizationContext;
  readonly expiresAt: Date | null;
  /** Makes sure that this was true less than a second ago. Throws if it is not true, or cannot be checked. */
  revalidate(): Promise<void>;
  /** Continues with a newer credential. Throws unless it belongs to the same caller in the same organization. */
  renew(authenticated: AuthenticatedCaller): void;
  close(): void;
}

/** `onEnd` is called once, with the reason, within a second after the caller loses access. */
export function watchCaller(authenticated: AuthenticatedCaller, onEnd: (reason: ApiError) => void): LiveCaller {
  const { ports } = authenticated.ctx;
  let current = authenticated;
  let ended: ApiError | null = null;
  let stop = begin();

  /** Checks whenever permissions may have changed, and when the credential ends. */
  function begin(): () => void {
    const unwatch = ports.actors.watch(invalidatedBy(current.ctx), check);
    const leftMs = current.expiresAt && current.expiresAt.getTime() - ports.clock.now().getTime();
    const timer = leftMs === null ? undefined : setTimeout(() => end(new ApiError('access_token_expired')), leftMs);
    return () => {
      unwatch();
      clearTimeout(timer);
    };
  }

  function end(reason: ApiError): void {
    if (ended) return;
    ended = reason;
    stop();
    onEnd(reason);
  }

  async function revalidate(): Promise<void> {
    const checked = current;
    if (ended) throw ended;
    try {
      const ctx = await checked.reload({ ...checked.ctx, now: ports.clock.now() });
      if (checked === current) current = { ...checked, ctx };
    } catch (error) {
      const known = toApiError(error);
      if (known.status < 500 && checked === current) end(known);
      throw known;
    }
    if (ended) throw ended;
  }

  /** A database outage ends no connection: nothing is sent until the caller is confirmed again. */
  async function check(): Promise<void> {
    await revalidate().catch(() => {});
  }

  return {
    get ctx() {
      return current.ctx;
    },
    get expiresAt() {
      return current.expiresAt;
    },
    revalidate,
    renew(authenticated) {
      if (!isSameCaller(authenticated.ctx, current.ctx)) {
        throw new ApiError('ambiguous_credentials', {
          detail: 'This connection belongs to another caller: renew it with a token of the same user, or open another.',
        });
      }
      if (ended) throw ended;
      stop();
      current = authenticated;
      stop = begin();
    },
    close() {
      ended ??= new ApiError('session_revoked');
      stop();
    },
  };
}

function isSameCaller(a: OrganizationContext, b: OrganizationContext): boolean {
  return a.organization.id === b.organization.id && callerOf(a.actor) === callerOf(b.actor);
}

/** A key acts for its organization: a rotated key continues in place of the old one. */
const callerOf = (actor: Actor): string => (actor.kind === 'user' ? `user ${actor.user.id}` : 'key');

function invalidatedBy({ actor, organization }: OrganizationContext): InvalidationKey[] {
  const caller: InvalidationKey = actor.kind === 'user' ? `user:${actor.user.id}` : `key:${actor.key.id}`;
  return [caller, `organization:${organization.id}`];
}

/** The caller of a credential, in its present organization. No query is needed: the credential was read already. */
export function authenticatedCaller(ctx: Context, credential: Authenticated): AuthenticatedCaller {
  const current = inOrganization({ ...ctx, credential }, credential.actor);
  const organizationId = current.organization.id;
  noteCaller(ctx, { organizationId });
  return {
    ctx: current,
    expiresAt: credential.expiresAt,
    reload: async (now) => inOrganization(now, await credential.reload(now, organizationId)),
  };
}

/** The caller of the request's credential; in `organizationId`, where that is given. */
export async function authenticateConnection(
  ctx: Context,
  organizationId: number | null,
): Promise<AuthenticatedCaller> {
  const credential = await authenticate(ctx, async () => organizationId);
  if (!credential) throw new ApiError('credentials_required');
  return authenticatedCaller(ctx, credential);
}

/** An invalid credential costs its source on a connection too: otherwise attackers would guess there. */
export async function chargeFailedAuthentication<Caller>(
  ctx: Context,
  authenticating: Promise<Caller>,
): Promise<Caller> {
  try {
    return await authenticating;
  } catch (error) {
    await chargeFailedAttempt(ctx, error);
    throw error;
  }
}

export function inOrganization(ctx: Context, actor: Actor): OrganizationContext {
  const organization = currentOrganization(actor);
  if (!organization)
    throw new ApiError('permission_denied', { detail: 'Events belong to an organization, and you are in none.' });
  return { ...ctx, actor, organization };
}
