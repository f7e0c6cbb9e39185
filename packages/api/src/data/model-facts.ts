import { ID_KINDS, type IdPrefix } from '../contract/ids.ts';
import type { PlanCode } from '../contract/plans.ts';
import type { BaseModel } from './base-model.ts';

/** The actors whose cached rights depend on a row, as the trigger on its table names them on the channel `actors`. */
export type InvalidationKey = `${'user' | 'organization' | 'key'}:${number}` | `plan:${PlanCode}`;

/** What the rest of the product must know about a model's rows, declared once, with its fields. */
export type ModelFacts<M extends BaseModel> = Identity & {
  /** The columns that the audit log stores unchanged. A column in neither `keep` nor `refs` never reaches it. */
  keep: readonly KeptColumn<M>[];
  /** Columns that hold the id of another row, with the prefix of its public ids; kept as such ids. */
  refs: { readonly [Column in ReferenceColumn<M>]?: IdPrefix };
  /** For rows that decide what a caller may do: the table has the trigger `tell_actors`, which sends the same key. */
  invalidates?(row: M): InvalidationKey;
};

/** Rows with a public id use its kind; other rows name a kind of their own. */
type Identity = { id: IdPrefix; kind?: never } | { id?: never; kind: string };

type Column<M extends BaseModel> = {
  [Name in Exclude<keyof M & string, keyof BaseModel | 'facts'>]: M[Name] extends (...input: never[]) => unknown
    ? never
    : Name;
}[Exclude<keyof M & string, keyof BaseModel | 'facts'>];

/** No bytes, which are hashes or sealed secrets, and no row ids. */
type KeptColumn<M extends BaseModel> = {
  [Name in Column<M>]: NonNullable<M[Name]> extends Buffer
    ? never
    : Name extends `${string}Id`
      ? NonNullable<M[Name]> extends number
        ? never
        : Name
      : Name;
}[Column<M>];

type ReferenceColumn<M extends BaseModel> = {
  [Name in Column<M>]: NonNullable<M[Name]> extends number ? Name : never;
}[Column<M>];

/** The facts of any model, for code that serves all of them. */
export type AnyFacts = Identity & {
  keep: readonly string[];
  refs: { readonly [column: string]: IdPrefix | undefined };
  invalidates?(row: AuditedRow): InvalidationKey;
};

/** A row that can be recorded: its model declares facts. */
export interface AuditedRow {
  readonly id: number;
  readonly facts: AnyFacts;
}

export function kindOf(facts: AnyFacts): string {
  return facts.id === undefined ? facts.kind : ID_KINDS[facts.id].kind;
}

/** A row as the audit log stores it: its id and the columns that its facts allow. */
export function snapshotOf(row: AuditedRow): Record<string, unknown> {
  const { keep, refs } = row.facts;
  const allowed = new Set(['id', ...keep, ...Object.keys(refs)]);
  return Object.fromEntries(Object.entries(row).filter(([column]) => allowed.has(column)));
}
