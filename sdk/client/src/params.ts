interface RequestShape {
  body?: unknown;
  path?: unknown;
  query?: unknown;
}

type Part<T> = [NonNullable<T>] extends [never] ? unknown : NonNullable<T>;
type Flat<T> = T extends unknown ? { [K in keyof T]: T[K] } : never;

/** Path, query and body fields of an operation in one object. */
export type Params<Shape extends RequestShape> =
  Flat<Part<Shape['path']> & Part<Shape['query']> & Part<Shape['body']>> extends infer All
    ? [keyof All] extends [never]
      ? NoParams
      : All
    : never;

/** The same for an operation whose body is sent as it is: a file, a stream of lines. @public for generated code. */
export type RawParams<Shape extends RequestShape> = Flat<
  Part<Shape['path']> & Part<Shape['query']> & { body: Blob | string }
>;

/** Parameters come first and options second, so that an operation can gain a parameter without breaking callers. */
export type NoParams = Record<string, never>;
