import type { Context } from '../context.ts';
import type { Actor } from './actor.ts';

/** The actor of a credential that was found good, and how to ask for it again without the credential. */
export interface Authenticated {
  actor: Actor;
  /** When the credential itself expires; null where it lives as long as its session or key. */
  expiresAt: Date | null;
  /** The actor as it is now, in the organization given. Throws once the credential is no longer good. */
  reload(ctx: Context, organizationId: number): Promise<Actor>;
  /** The same for another call on its connection, which may name an organization of its own. */
  resume: Resume;
}

export type Resume = (ctx: Context, path: PathOrganization, options: CallOptions) => Promise<Authenticated>;

export interface CallOptions {
  allowDeletedOrganization?: boolean;
}

/** The organization that the call's path names. It is looked at only behind a good credential. */
export type PathOrganization = () => Promise<number | null>;

/** What reads each kind of credential. The slices that issue them bring these; `openPorts` lists them. */
export interface Authenticators {
  accessToken(ctx: Context, token: string, path: PathOrganization, options: CallOptions): Promise<Authenticated>;
  apiKey(ctx: Context, secret: string, path: PathOrganization): Promise<Authenticated>;
  looksLikeApiKey(bearer: string, prefix: string): boolean;
}
