import { isDeepStrictEqual } from 'node:util';
import type { Knex } from '@rentapi/platform/database';
import { type Constructor, Model, type QueryBuilder } from 'objection';
import { updateRow } from './rows.ts';

/**
 * Models are never bound to a pool: a query that forgets `ctx.db` throws instead of leaving the caller's transaction.
 * Fields are `declare`d, so a model's own properties are exactly the columns of its row.
 */
export abstract class BaseModel extends Model {
  declare id: number;

  /** A row read by a prepared statement, as a model. Its columns must have the names of the fields. */
  static hydrate<M extends BaseModel>(this: new () => M, row: object): M {
    return Object.assign(new this(), row);
  }

  /** The primary key of this row. */
  get primaryKey(): object {
    return { id: this.id };
  }
}

export type ModelClass<M extends Model> = Constructor<M> & Pick<typeof Model, 'tableName'>;

/** A query for rows of a model. */
export type RowQuery<M extends Model, Row = M> = QueryBuilder<M, Row[]>;

/** The only way around `query`, which tenant models refuse. */
export function queryOf<M extends Model>(model: ModelClass<M>, db: Knex): QueryBuilder<M, M[]> {
  return Model.query.call(model as never, db) as unknown as QueryBuilder<M, M[]>;
}

/** A row with a version number that counts its changes. */
interface Versioned extends BaseModel {
  version: number;
  updatedAt: Date;
}

type Fields<M> = { [Name in Exclude<keyof M, keyof BaseModel | 'version' | 'present'>]?: M[Name] | undefined };

/**
 * The row with these fields and the next version; `before` itself if nothing differs. Undefined fields stay.
 * `updatedAt` alone counts a change that is stored in other rows. Lock `before` first (`forUpdate`).
 */
export async function change<M extends Versioned>(
  { db, now }: { db: Knex; now: Date },
  before: M,
  fields: Fields<M>,
): Promise<M> {
  const differing = Object.entries(fields).filter(
    ([name, value]) => value !== undefined && !isDeepStrictEqual(value, before[name as keyof M]),
  );
  if (differing.length === 0) return before;
  const changes = { ...Object.fromEntries(differing), version: before.version + 1, updatedAt: now };
  const where = { ...before.primaryKey, version: before.version };
  return updateRow<M>(db, before, where, changes as Partial<M>);
}

/**
 * Increments the version in a statement that updates many rows. Postgres evaluates it to a number, the type that
 * Objection expects.
 */
export function nextVersion(db: Knex): number {
  return db.raw('version + 1') as unknown as number;
}
