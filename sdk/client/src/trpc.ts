import { httpBatchLink, httpLink, TRPCClientError, type TRPCLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { COOKIE_OPERATIONS, type Cookies } from './generated/cookies.gen.ts';

/** The part of a `RentApi` that the link uses. */
export interface LinkClient {
  readonly baseUrl: string;
  requestHeaders(options?: { change?: boolean }): Promise<Record<string, string>>;
  recover(headers: Record<string, string>, code: string): Promise<boolean>;
  cookiesOf(operationId: string): Cookies | null;
  adopt(data: unknown): Promise<void>;
  forget(): Promise<void>;
}

export interface RentapiLinkOptions {
  /** Default: `/trpc` at the client's base URL. */
  url?: string | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

const NO_SUBSCRIPTIONS = '`rentapiLink` takes no subscriptions: send them to `wsLink` with `splitLink`.';
/** Where the two links below find what this one has made for a call. */
const HEADERS = 'rentapiHeaders';

/**
 * The last link of a tRPC client: signs its calls as `client` signs its own, renews the session once where the server
 * says that the access token has ended, and repeats the call. Queries travel in batches; a mutation alone, because it
 * carries an `Idempotency-Key`: a new one, or the one of its context, `{ context: { idempotencyKey } }`. A login or
 * logout through it is one of `client`.
 */
export function rentapiLink(client: LinkClient, options: RentapiLinkOptions = {}): TRPCLink<AnyTRPCRouter> {
  const url = options.url ?? `${client.baseUrl}/trpc`;
  const fetch = options.fetch ?? globalThis.fetch;
  const batched = httpBatchLink<AnyTRPCRouter>({
    url,
    fetch,
    headers: ({ opList }) => headersIn(opList[0].context),
    // Longer addresses are refused by some proxies.
    maxURLLength: 2_000,
  });
  const alone = (fetch: typeof globalThis.fetch) =>
    httpLink<AnyTRPCRouter>({ url, fetch, headers: ({ op }) => headersIn(op.context) });
  const fetchWithCookies: typeof fetch = (input, init) => fetch(input, { ...init, credentials: 'include' });

  return (runtime) => {
    const [query, mutation, withCookies] = [batched(runtime), alone(fetch)(runtime), alone(fetchWithCookies)(runtime)];
    return ({ op, next }) =>
      observable((observer) => {
        // tRPC's callers expect its own error, also where the session's store or the renewal has failed.
        const fail = (error: unknown) =>
          observer.error(TRPCClientError.from(error instanceof Error ? error : new Error(String(error))));
        let stopped = false;
        let stop = () => {
          stopped = true;
        };

        async function send(isRepeat: boolean, key?: string): Promise<void> {
          const change = op.type === 'mutation';
          const headers = await client.requestHeaders({ change });
          const { idempotencyKey = key ?? headers['idempotency-key'] } = op.context;
          if (change && typeof idempotencyKey === 'string') headers['idempotency-key'] = idempotencyKey;
          if (stopped) return;
          // Without a network, too, the user is logged out here.
          if (op.path === 'auth.logout') await client.forget();
          const cookies = client.cookiesOf(op.path);
          const link = cookies ? withCookies : change ? mutation : query;
          const input = cookies === 'asks' ? { cookie: true, ...asObject(op.input) } : op.input;
          const context = { ...op.context, [HEADERS]: headers };
          let adopted = Promise.resolve();
          const call = link({ op: { ...op, input, context }, next }).subscribe({
            next(result) {
              if (op.path in COOKIE_OPERATIONS && 'data' in result.result) adopted = client.adopt(result.result.data);
              adopted.then(() => observer.next(result), fail);
            },
            complete: () => void adopted.then(() => observer.complete(), fail),
            error(error) {
              const code = expiredCode(error.data);
              if (isRepeat || code === null) return observer.error(error);
              client
                .recover(headers, code)
                .then(
                  (renewed) => (renewed ? send(true, headers['idempotency-key']).catch(fail) : observer.error(error)),
                  fail,
                );
            },
          });
          stop = () => {
            stopped = true;
            call.unsubscribe();
          };
        }

        if (op.type === 'subscription') fail(new TypeError(NO_SUBSCRIPTIONS));
        else send(false).catch(fail);
        return () => stop();
      });
  };
}

function asObject(input: unknown): object {
  return typeof input === 'object' && input !== null ? input : {};
}

function headersIn(context: Record<string, unknown>): Record<string, string> {
  // The guarantee: `send` has put them there.
  return context[HEADERS] as Record<string, string>;
}

/** The code of a 401, of which a renewal may be the cure; null for any other failure. */
function expiredCode(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('problem' in data)) return null;
  const { problem } = data;
  if (typeof problem !== 'object' || problem === null || !('status' in problem && 'code' in problem)) return null;
  return problem.status === 401 ? String(problem.code) : null;
}
