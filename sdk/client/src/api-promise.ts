import { RentApiError } from './errors.ts';

/** The data of an answer, and what came with it. */
export interface ApiResult<Data> {
  data: Data;
  status: number;
  /** `headers.get('etag')` goes into `ifMatch` of the next change. */
  headers: Headers;
  requestId: string | null;
}

/** Whether the body of a call is left to the caller; decided until the answer comes. */
export class RawMode {
  #wanted: boolean;
  #read = false;

  constructor(wanted = false) {
    this.#wanted = wanted;
  }

  request(): void {
    if (this.#read) throw new TypeError('`asResponse()` came too late: the body has been read.');
    this.#wanted = true;
  }

  decide(): boolean {
    this.#read = !this.#wanted;
    return this.#wanted;
  }
}

/** What every call returns: awaited, it is the data; `withResponse()` adds status and headers. */
export class ApiPromise<Data> implements Promise<Data> {
  readonly #result: Promise<ApiResult<Data>>;
  readonly #raw: RawMode;

  constructor(result: Promise<ApiResult<Data>>, raw: RawMode) {
    this.#result = result;
    this.#raw = raw;
  }

  get [Symbol.toStringTag](): string {
    return 'ApiPromise';
  }

  withResponse(): Promise<ApiResult<Data>> {
    return this.#result;
  }

  /** The `Response` with its body unread, instead of the data. Refusals are thrown as ever. */
  async asResponse(): Promise<Response> {
    this.#raw.request();
    const { data } = await this.#result;
    // The guarantee: asked for in time, the data is the `Response`.
    return data as Response;
  }

  // biome-ignore lint/suspicious/noThenProperty: this is a promise.
  then<A = Data, B = never>(
    onFulfilled?: ((data: Data) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(({ data }) => data).then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Data | B> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Data> {
    return this.then().finally(onFinally);
  }
}

export interface Page {
  items: unknown[];
  nextCursor: string | null;
}

/** A page as it was answered, and how to get the one after it. */
export type ListPage<P extends Page> = P & NextPage<P>;

interface NextPage<P extends Page> {
  /** The next page; null after the last. */
  next(): Promise<ListPage<P> | null>;
}

type FetchPage<P> = (cursor: string) => Promise<P>;

/** What a list returns: awaited, it is the first page; with `for await`, every item of every page. */
export class PagePromise<P extends Page> extends ApiPromise<ListPage<P>> implements AsyncIterable<P['items'][number]> {
  constructor(result: Promise<ApiResult<P>>, raw: RawMode, fetchPage: FetchPage<P>) {
    super(
      result.then((answer) => ({ ...answer, data: withNext(answer.data, fetchPage) })),
      raw,
    );
  }

  override get [Symbol.toStringTag](): string {
    return 'PagePromise';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<P['items'][number], void, undefined> {
    for await (const page of this.pages()) {
      const items: P['items'][number][] = page.items;
      yield* items;
    }
  }

  /** Page by page; the next one is asked for when you ask for it. */
  async *pages(): AsyncGenerator<ListPage<P>, void, undefined> {
    for (let page: ListPage<P> | null = await this; page !== null; page = await page.next()) yield page;
  }

  /** The first `limit` items, of as many pages as that takes. */
  async toArray({ limit }: { limit: number }): Promise<P['items']> {
    if (!(limit > 0)) {
      // The first page is on its way already, and is waited for no more.
      this.catch(() => undefined);
      throw new TypeError('`toArray` needs a `limit`: the most items that you want.');
    }
    const items: P['items'] = [];
    for await (const item of this) if (items.push(item) >= limit) break;
    return items;
  }
}

/** `next` is not enumerable: the page prints, compares and serializes as the server answered it. */
function withNext<P extends Page>(page: P, fetchPage: FetchPage<P>): ListPage<P> {
  const next = async () => {
    const { nextCursor } = page;
    if (nextCursor === null) return null;
    const following = await fetchPage(nextCursor);
    // A server that repeats a cursor would keep a loop going for ever.
    if (following.nextCursor === nextCursor)
      throw new RentApiError('The server answered the same cursor twice.', { code: 'cursor_loop' });
    return withNext(following, fetchPage);
  };
  return Object.defineProperty(page, 'next', { value: next }) as ListPage<P>;
}
