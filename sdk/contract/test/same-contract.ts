import type { AppRouter as Real } from '@rentapi/api/slices/router';
import type { isRentApiError, AppRouter as Published } from '@rentapi/contract';
import type { AnyTRPCRouter, inferRouterError } from '@trpc/server';
import type { isRentApiError as guard } from '../src/is-rent-api-error.ts';

// Compiles only while the published type of every procedure is exactly the router's own. The compiler names the field
// that differs; after a change of the contract, `pnpm contract` fixes it.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The type written out: named or not, an object is its fields, and a stream is what it yields. */
type Flat<T> =
  T extends AsyncIterable<infer Item> ? { yields: Flat<Item> } : T extends object ? { [K in keyof T]: Flat<T[K]> } : T;

/**
 * Where two types differ: `apiKeys.create.scopes`. An enum that is built at run time is a `string` to the compiler,
 * while its values can be printed: that is no difference.
 */
type Difference<A, B, Path extends string = ''> = [A, B] extends [AsyncIterable<infer X>, AsyncIterable<infer Y>]
  ? Difference<X, Y, `${Path}()`>
  : Same<Flat<A>, Flat<B>> extends true
    ? never
    : [A, B] extends [readonly (infer X)[], readonly (infer Y)[]]
      ? Difference<X, Y, `${Path}[]`>
      : [A, B, Single<A>, Single<B>] extends [Fields, Fields, true, true]
        ? {
            [K in Names<A, B>]: Presence<A, K> extends Presence<B, K>
              ? Difference<At<A, K>, At<B, K>, `${Path}.${K}`>
              : `${Path}.${K}`;
          }[Names<A, B>]
        : [string, A] extends [B, B]
          ? never
          : [A, B] extends [Sent, Sent]
            ? never
            : Path;
/** What is published of an event is its data, which is `unknown` to the compiler: it comes from the database. */
type Sent = Event | { id: string; data: Event };
type Event = { id: string | null; event: string; createdAt: string; data?: unknown };
type Fields = { readonly [name: string]: unknown } | object;
/** Not a union, of which only the common fields could be compared. */
type Single<T> = [T] extends [
  (T extends unknown ? (member: T) => void : never) extends (all: infer All) => void ? All : never,
]
  ? true
  : false;
type Names<A, B> = (keyof A | keyof B) & string;
/** Whether a field may be missing is compared by its presence. */
type At<T, K> = K extends keyof T ? (Presence<T, K> extends 'optional' ? Exclude<T[K], undefined> : T[K]) : never;
type Presence<T, K> = K extends keyof T
  ? Record<never, never> extends Pick<T, K>
    ? 'optional'
    : 'required'
  : 'absent';

type None<T extends string> = [T] extends [never] ? 'none' : T;

/** One side of every procedure, as it is declared. */
type Inputs<Record> = {
  [K in keyof Record]: Record[K] extends { _def: { $types: { input: infer Input } } } ? Input : Inputs<Record[K]>;
};
type Outputs<Record> = {
  [K in keyof Record]: Record[K] extends { _def: { $types: { output: infer Output } } } ? Output : Outputs<Record[K]>;
};
type Procedures<Router extends AnyTRPCRouter> = Router['_def']['record'];

export const inputs: None<Difference<Inputs<Procedures<Published>>, Inputs<Procedures<Real>>>> = 'none';
export const outputs: None<Difference<Outputs<Procedures<Published>>, Outputs<Procedures<Real>>>> = 'none';
export const errors: inferRouterError<Real> extends inferRouterError<Published> ? 'none' : 'errors' = 'none';
export const guards: Same<typeof isRentApiError, typeof guard> extends true ? 'none' : 'guards' = 'none';
