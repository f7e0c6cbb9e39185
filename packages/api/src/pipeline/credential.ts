import type { Context } from '../context.ts';
import type { Actor } from './actor.ts';

/** Who brought a credential, and how to ask again whether they still may. */
export interface Authenticated {
  actor: Actor;
  /** When the credential itself expires; null where it lives as long as its session or key. */
  expiresAt: Date | null;
  /** The actor as it is now, in the organization given. Throws once the credential is no longer good. */
  reload(ctx: Context, organizationId: number): Promise<Actor>;
}

/** The organization that the call's path names. It is looked at only behind a good credential. */
export type PathOrganization = () => Promise<number | null>;

/** What reads each kind of credential. The slices that issue them bring these; `openPorts` lists them. */
export interface Authenticators {
  accessToken(
    ctx: Context,
    token: string,
    path: PathOrganization,
    options: { allowDeletedOrganization?: boolean },
  ): Promise<Authenticated>;
  apiKey(ctx: Context, secret: string, path: PathOrganization): Promise<Authenticated>;
  looksLikeApiKey(bearer: string, prefix: string): boolean;
}
