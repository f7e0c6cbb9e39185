import { AuthenticationError, RentApiError } from './errors.ts';
import { withLock } from './lock.ts';
import { retryDelayMs, sleep } from './retry.ts';
import { isTokens, type SessionStore, type SessionTokens, type TokensInput, toSessionTokens } from './tokens.ts';

/** Exchanges a refresh token (`null`: the cookie) for new tokens. */
type Exchange = (refreshToken: string | null) => Promise<TokensInput>;

/** Renewed this long before the end, so that a token does not run out on its way to the server. */
const EARLY_MS = 30_000;
const EARLY_SHARE = 0.1;
/**
 * The server gives the same pair to a repeated refresh for 10 s. After that a repeat looks like a stolen token, and the
 * session ends.
 */
const REPEAT_MS = 5_000;

/**
 * The session of one user. Other tabs or processes may share its store, so it is read before each use of a token, and
 * nothing is remembered instead. A renewal happens once for all calls that wait for it.
 */
export class Session {
  readonly #store: SessionStore;
  readonly #exchange: Exchange;
  /** By the access token that is being replaced. */
  readonly #renewals = new Map<string, Promise<void>>();
  /** When to renew which access token. It depends on the lifetime, which is known only when the token is first seen. */
  #schedule: { accessToken: string | null; renewAtMs: number } = { accessToken: null, renewAtMs: 0 };

  constructor(store: SessionStore, exchange: Exchange) {
    this.#store = store;
    this.#exchange = exchange;
  }

  /** Null also where only the cookie knows whether there is a session. */
  async tokens(): Promise<SessionTokens | null> {
    const tokens = await this.#read();
    return tokens?.accessToken === '' ? null : tokens;
  }

  async #read(): Promise<SessionTokens | null> {
    const tokens = (await this.#store.load()) ?? null;
    if (tokens !== null && !isTokens(tokens))
      throw new TypeError('`session.load` must return what `session.save` was given, or null.');
    return tokens;
  }

  async start(input: TokensInput): Promise<void> {
    const tokens = toSessionTokens(input);
    this.#renewAtMs(tokens);
    await this.#store.save(tokens);
  }

  /** Ends the session here, and returns the tokens to log out with. */
  async take(): Promise<SessionTokens | null> {
    const tokens = await this.#read();
    if (tokens) await this.#store.save(null);
    return tokens;
  }

  /** The access token to send now; renewed first if it is about to end. */
  async accessToken(): Promise<string | null> {
    const tokens = await this.#read();
    if (!tokens || Date.now() < this.#renewAtMs(tokens)) return tokens?.accessToken ?? null;
    try {
      await this.#renewOnce(tokens.accessToken);
    } catch (error) {
      // There was no cookie: not logged in.
      if (tokens.accessToken === '' && error instanceof AuthenticationError) return null;
      // Until its end the old token still works, and the network may be back by then.
      const usable = Date.parse(tokens.expiresAt ?? '') > Date.now() && (await this.tokens()) !== null;
      if (!usable) throw error;
    }
    return (await this.tokens())?.accessToken ?? null;
  }

  /** After the server refused the access token `used`: whether the store holds another one, to repeat the call with. */
  async recover(used: string, code: string): Promise<boolean> {
    if (code === 'access_token_expired') await this.#renewOnce(used);
    const tokens = await this.tokens();
    if (tokens?.accessToken !== used) return tokens !== null;
    if (code === 'session_revoked') await this.#store.save(null);
    return false;
  }

  #renewOnce(used: string): Promise<void> {
    const underWay = this.#renewals.get(used);
    if (underWay) return underWay;
    const renewal = this.#renewInTurn(used).finally(() => this.#renewals.delete(used));
    this.#renewals.set(used, renewal);
    return renewal;
  }

  /**
   * One tab at a time. The end of the token names the pair to other tabs, and is of no use to code that lists the
   * locks. The cookie is the same in all tabs, whatever access tokens they have.
   */
  async #renewInTurn(used: string): Promise<void> {
    const isCookie = (await this.#read())?.refreshToken === null;
    await withLock(isCookie ? 'rentapi cookie' : `rentapi ${used.slice(-16)}`, () => this.#renew(used));
  }

  async #renew(used: string): Promise<void> {
    const startMs = Date.now();
    for (let repeats = 0; ; repeats++) {
      const before = await this.#read();
      // Another call, tab or process has renewed it or ended the session.
      if (before?.accessToken !== used || before.refreshToken === undefined) return;
      try {
        const after = await this.#exchange(before.refreshToken);
        // A login or logout while the refresh ran counts more than the refresh.
        if ((await this.#read())?.accessToken === used)
          await this.start({ ...after, refreshToken: after.refreshToken ?? before.refreshToken });
        return;
      } catch (error) {
        if (!(error instanceof RentApiError)) throw error;
        if (error instanceof AuthenticationError) {
          const now = await this.#read();
          if (now && now.accessToken !== used) return;
          if (now) await this.#store.save(null);
          throw error;
        }
        const delayMs = retryDelayMs(error, repeats);
        if (delayMs === null || Date.now() + delayMs - startMs > REPEAT_MS) throw error;
        await sleep(delayMs);
        // The device may have slept meanwhile.
        if (Date.now() - startMs > REPEAT_MS) throw error;
      }
    }
  }

  #renewAtMs({ accessToken, refreshToken, expiresAt }: SessionTokens): number {
    const endMs = Date.parse(expiresAt ?? '');
    if (refreshToken === undefined || Number.isNaN(endMs)) return Number.POSITIVE_INFINITY;
    if (this.#schedule.accessToken !== accessToken) {
      const leftMs = Math.max(0, endMs - Date.now());
      this.#schedule = { accessToken, renewAtMs: endMs - Math.min(EARLY_MS, leftMs * EARLY_SHARE) };
    }
    return this.#schedule.renewAtMs;
  }
}
