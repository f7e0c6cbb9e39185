import type { Context, OrganizationContext } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import type { InvalidationKey } from '../data/model-facts.ts';
import type { Actor } from './actor.ts';
import { currentOrganization } from './admit.ts';
import { authenticate } from './authenticate.ts';
import type { Authenticated } from './credential.ts';
import { chargeFailedAttempt } from './limits.ts';

/** A caller who was let in, and how to ask again whether they still are. */
export interface AuthenticatedCaller {
  ctx: OrganizationContext;
  reload: (ctx: Context) => Promise<OrganizationContext>;
  /** When the credential itself ends; null where it lives as long as its session or key. */
  expiresAt: Date | null;
}

/** What the holder of a lasting connection may do: kept true for as long as it lasts. */
export interface LiveCaller {
  /** The caller as last confirmed. */
  readonly ctx: OrganizationContext;
  readonly expiresAt: Date | null;
  /** Makes sure that this was true less than a second ago. Throws where it is not, or cannot be known. */
  revalidate(): Promise<void>;
  /** Goes on with a newer credential. Throws unless it is the same caller's, in the same organization. */
  renew(entry: AuthenticatedCaller): void;
  close(): void;
}

/** `onEnd` is told once, within a second, that the caller may no more, and why. */
export function watchCaller(entry: AuthenticatedCaller, onEnd: (reason: ApiError) => void): LiveCaller {
  const { ports } = entry.ctx;
  let current = entry;
  let ended: ApiError | null = null;
  let stop = begin();

  /** Looks whenever rights may have changed, and when the credential ends. */
  function begin(): () => void {
    const unwatch = ports.actors.watch(invalidatedBy(current.ctx), look);
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

  async function confirm(): Promise<void> {
    const asked = current;
    if (ended) throw ended;
    try {
      const ctx = await asked.reload({ ...asked.ctx, now: ports.clock.now() });
      if (asked === current) current = { ...asked, ctx };
    } catch (error) {
      const known = toApiError(error);
      if (known.status < 500 && asked === current) end(known);
      throw known;
    }
    if (ended) throw ended;
  }

  /** A database that is away ends nobody: while nothing is confirmed, nothing is told either. */
  async function look(): Promise<void> {
    await confirm().catch(() => {});
  }

  return {
    get ctx() {
      return current.ctx;
    },
    get expiresAt() {
      return current.expiresAt;
    },
    revalidate: confirm,
    renew(entry) {
      if (!isSameCaller(entry.ctx, current.ctx)) {
        throw new ApiError('ambiguous_credentials', {
          detail: 'This connection is somebody else’s: renew it with a token of the same user, or open another.',
        });
      }
      if (ended) throw ended;
      stop();
      current = entry;
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

/** Keys stand for their organization: a rotated one goes on where the old one was. */
const callerOf = (actor: Actor): string => (actor.kind === 'user' ? `user ${actor.user.id}` : 'key');

function invalidatedBy({ actor, organization }: OrganizationContext): InvalidationKey[] {
  const who: InvalidationKey = actor.kind === 'user' ? `user:${actor.user.id}` : `key:${actor.key.id}`;
  return [who, `organization:${organization.id}`];
}

/** The caller behind a credential, in the organization they are in now, to be asked again. */
export function authenticatedCaller(ctx: Context, { actor, expiresAt, reload }: Authenticated): AuthenticatedCaller {
  const current = inOrganization(ctx, actor);
  const organizationId = current.organization.id;
  return { ctx: current, expiresAt, reload: async (now) => inOrganization(now, await reload(now, organizationId)) };
}

/** Whoever the credential of the call says; in `organizationId`, where that is given. */
export async function entryOfCall(ctx: Context, organizationId: number | null): Promise<AuthenticatedCaller> {
  const credential = await authenticate(ctx, async () => organizationId);
  if (!credential) throw new ApiError('credentials_required');
  return authenticatedCaller(ctx, credential);
}

/** Over a socket, too, a credential that is not good costs its source: or it would be the place to guess at. */
export async function chargeFailedEntry(
  ctx: Context,
  entering: Promise<AuthenticatedCaller>,
): Promise<AuthenticatedCaller> {
  try {
    return await entering;
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
