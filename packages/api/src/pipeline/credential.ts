import type { Context } from '../context.ts';
import type { Actor } from './actor.ts';

/** The actor behind a credential, and how to check it again. */
export interface Authenticated {
  actor: Actor;
  /** When the credential itself expires; null where it lives as long as its session or key. */
  expiresAt: Date | null;
  /** The actor as it is now, in the given organization. Throws once the credential is no longer valid. */
  reload(ctx: Context, organizationId: number): Promise<Actor>;
  /** The same for another call on its connection, which may name an organization of its own. */
  resume: Resume;
}

export type Resume = (ctx: Context, path: PathOrganization, options: CallOptions) => Promise<Authenticated>;

export interface CallOptions {
  allowDeletedOrganization?: boolean;
}

/** The organization in the call's path. It is read only after the credential proved valid. */
export type PathOrganization = () => Promise<number | null>;

/** One reader for each kind of credential. The slices that issue them provide these; `openPorts` lists them. */
export interface Authenticators {
  accessToken(ctx: Context, token: string, path: PathOrganization, options: CallOptions): Promise<Authenticated>;
  apiKey(ctx: Context, secret: string, path: PathOrganization): Promise<Authenticated>;
  looksLikeApiKey(bearer: string, prefix: string): boolean;
}
