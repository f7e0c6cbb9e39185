/** The tokens of a signed-in user: what `session.save` is given to keep. */
export interface SessionTokens {
  accessToken: string;
  /** `null`: an HttpOnly cookie, which the browser sends by itself. Absent: the access token is not renewed. */
  refreshToken?: string | null | undefined;
  /** When the access token ends, ISO 8601; `null` where it is not known. */
  expiresAt?: string | null | undefined;
}

/** Tokens to start with: what `session.save` was given, or the answer of `auth.login`. */
export interface TokensInput extends SessionTokens {
  /** Seconds from now. */
  expiresIn?: number | undefined;
}

/** Where a session is kept, e.g. `localStorage` or a file. It is read before each call that needs a credential. */
export interface SessionStore {
  /** What `save` was given last, by this client or by another one on the same store. */
  load(): SessionTokens | null | undefined | Promise<SessionTokens | null | undefined>;
  /** `null` when the session is over. */
  save(tokens: SessionTokens | null): void | Promise<void>;
}

/** A session that a cookie may hold: no access token yet, and the next one comes with the cookie. */
export const IN_COOKIE: SessionTokens = { accessToken: '', refreshToken: null, expiresAt: new Date(0).toISOString() };

/** A store that lasts as long as the client. */
export function memoryStore(initial: SessionTokens | null): SessionStore {
  let tokens = initial;
  return {
    load: () => tokens,
    save: (saved) => {
      tokens = saved;
    },
  };
}

export function isTokens(value: unknown): value is TokensInput {
  return typeof value === 'object' && value !== null && 'accessToken' in value && typeof value.accessToken === 'string';
}

/** What is kept of a login: an end in time, because "in 900 seconds" means nothing when it is read later. */
export function toSessionTokens({ accessToken, refreshToken, expiresAt, expiresIn }: TokensInput): SessionTokens {
  const ends = expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000).toISOString();
  return { accessToken, ...(refreshToken !== undefined && { refreshToken }), expiresAt: expiresAt ?? ends };
}
