/** A signed-in user's tokens, as `onTokens` hands them out to be kept. */
export interface SessionTokens {
  accessToken: string;
  /** `null`: it is an HttpOnly cookie, which the browser sends by itself. */
  refreshToken: string | null;
  /** When the access token ends, ISO 8601; `null` where not known. */
  expiresAt: string | null;
}

/** What the client accepts: what `onTokens` handed out, or the answer of `auth.login`. */
export interface TokensInput {
  accessToken: string;
  refreshToken?: string | null | undefined;
  expiresAt?: string | null | undefined;
  /** Seconds from now. */
  expiresIn?: number | undefined;
}

export interface SessionOptions {
  tokens: TokensInput | undefined;
  onTokens: ((tokens: SessionTokens | null) => void | Promise<void>) | undefined;
  /** Exchanges a refresh token (`null`: the cookie) for new tokens. */
  exchange: (refreshToken: string | null) => Promise<TokensInput>;
  /** Whether an exchange failed because the session is over, not because of the network. */
  isOver: (error: unknown) => boolean;
}

/** Refreshed this long before the end, so that a token does not run out on its way to the server. */
const EARLY_MS = 30_000;
const EARLY_SHARE = 0.1;

/** Holds the tokens of one user and renews them, once for however many calls need it at the same time. */
export class Session {
  readonly #options: SessionOptions;
  #tokens: SessionTokens | null = null;
  /** False where tokens were handed over without a refresh token: they serve until they end. */
  #refreshable = false;
  #refreshAtMs = Number.POSITIVE_INFINITY;
  #refreshing: Promise<void> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    if (options.tokens) this.#store(options.tokens);
  }

  get tokens(): SessionTokens | null {
    return this.#tokens;
  }

  async adopt(input: TokensInput): Promise<void> {
    this.#store(input);
    await this.#options.onTokens?.(this.#tokens);
  }

  async end(): Promise<void> {
    if (this.#tokens === null) return;
    this.#tokens = null;
    this.#refreshable = false;
    this.#refreshAtMs = Number.POSITIVE_INFINITY;
    await this.#options.onTokens?.(null);
  }

  /** The access token to send now; renewed first if it is about to end. */
  async accessToken(): Promise<string | null> {
    const tokens = this.#tokens;
    if (tokens && this.#refreshable && Date.now() >= this.#refreshAtMs) {
      const stillGood = tokens.expiresAt !== null && Date.parse(tokens.expiresAt) > Date.now();
      await this.renew(tokens.accessToken).catch((error: unknown) => {
        // The old token may still serve: the network may be back before it ends.
        if (!stillGood || this.#tokens === null) throw error;
      });
    }
    return this.#tokens?.accessToken ?? null;
  }

  /** After a refusal of `used`. True: there is another token now, repeat the call. */
  async renew(used: string): Promise<boolean> {
    if (this.#tokens === null) return false;
    // Another call renewed it while this one was on its way.
    if (this.#tokens.accessToken !== used) return true;
    if (!this.#refreshable) return false;
    this.#refreshing ??= this.#refresh(this.#tokens).finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
    return this.#tokens !== null;
  }

  async #refresh(before: SessionTokens): Promise<void> {
    try {
      const after = await this.#options.exchange(before.refreshToken);
      // Someone logged in or out meanwhile: their tokens count, not these.
      if (this.#tokens === before)
        await this.adopt({ ...after, refreshToken: after.refreshToken ?? before.refreshToken });
    } catch (error) {
      if (this.#tokens === before && this.#options.isOver(error)) await this.end();
      throw error;
    }
  }

  #store(input: TokensInput): void {
    const nowMs = Date.now();
    const endMs = input.expiresAt
      ? Date.parse(input.expiresAt)
      : input.expiresIn === undefined
        ? null
        : nowMs + input.expiresIn * 1000;
    this.#tokens = {
      accessToken: input.accessToken,
      refreshToken: input.refreshToken ?? null,
      expiresAt: endMs === null ? null : new Date(endMs).toISOString(),
    };
    this.#refreshable = input.refreshToken !== undefined;
    this.#refreshAtMs =
      endMs === null ? Number.POSITIVE_INFINITY : endMs - Math.min(EARLY_MS, Math.max(0, endMs - nowMs) * EARLY_SHARE);
  }
}
