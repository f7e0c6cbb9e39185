import { RentApiError } from './errors.ts';

/** The data of an answer, and what came with it. */
export interface ApiResult<Data> {
  data: Data;
  status: number;
  /** `headers.get('etag')` goes into `ifMatch` of the next change. */
  headers: Headers;
  requestId: string | null;
}

/** What every call returns: awaited, it is the data; `withResponse()` adds status and headers. */
export class ApiPromise<Data> implements Promise<Data> {
  readonly #result: Promise<ApiResult<Data>>;

  constructor(result: Promise<ApiResult<Data>>) {
    this.#result = result;
  }

  get [Symbol.toStringTag](): string {
    return 'ApiPromise';
  }

  withResponse(): Promise<ApiResult<Data>> {
    return this.#result;
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

/** What a list returns: awaited, it is the first page; with `for await`, every item of every page. */
export class PagePromise<P extends Page> extends ApiPromise<P> implements AsyncIterable<P['items'][number]> {
  readonly #fetchPage: (cursor: string) => Promise<P>;

  constructor(result: Promise<ApiResult<P>>, fetchPage: (cursor: string) => Promise<P>) {
    super(result);
    this.#fetchPage = fetchPage;
  }

  override get [Symbol.toStringTag](): string {
    return 'PagePromise';
  }

  async *[Symbol.asyncIterator](): AsyncIterator<P['items'][number], void, undefined> {
    for await (const page of this.pages()) {
      const items: P['items'][number][] = page.items;
      yield* items;
    }
  }

  /** Page by page; the next one is asked for when you ask for it. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let page = (await this.withResponse()).data;
    yield page;
    while (page.nextCursor !== null) {
      const cursor = page.nextCursor;
      page = await this.#fetchPage(cursor);
      // A server that repeats a cursor would keep the loop going for ever.
      if (page.nextCursor === cursor)
        throw new RentApiError('The server answered the same cursor twice.', { code: 'cursor_loop' });
      yield page;
    }
  }
}
