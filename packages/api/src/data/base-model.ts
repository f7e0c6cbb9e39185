import { isDeepStrictEqual } from 'node:util';
import type { Knex } from '@rentapi/platform/database';
import { type Constructor, Model, type PartialModelObject, type QueryBuilder } from 'objection';
import { ApiError } from '../contract/errors.ts';

/**
 * Models are never bound to a pool: a query that forgets `ctx.db` throws instead of escaping the caller's transaction.
 * Fields are `declare`d, so that a model has no own properties but what the row has.
 */
export abstract class BaseModel extends Model {
  declare id: number;

  /** A row read by a prepared statement, as a model. Its columns must be named as the fields are. */
  static hydrate<M extends BaseModel>(this: new () => M, row: object): M {
    return Object.assign(new this(), row);
  }

  /** The query of this row. */
  itself(db: Knex): QueryBuilder<this, this[]> {
    return queryOf(this.constructor as ModelClass<this>, db).where({ id: this.id }); // what an object was made by
  }
}

export type ModelClass<M extends Model> = Constructor<M> & Pick<typeof Model, 'tableName'>;

/** The one way past `query`, which a tenant's model refuses. */
export function queryOf<M extends Model>(model: ModelClass<M>, db: Knex): QueryBuilder<M, M[]> {
  return Model.query.call(model as never, db) as unknown as QueryBuilder<M, M[]>;
}

/** A row that counts its changes. */
interface Versioned extends BaseModel {
  version: number;
  updatedAt: Date;
}

type Fields<M> = { [Name in Exclude<keyof M, keyof BaseModel | 'version' | 'present'>]?: M[Name] | undefined };

/**
 * The row with these fields, one version on; `before` itself where all of them are as they were, which is no change. What
 * is undefined stays. `updatedAt` alone counts a change that other rows hold. `before` is locked by the caller.
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
  const changes = Object.fromEntries(differing) as PartialModelObject<M>; // those of `fields`, which names columns only
  const after = await before
    .itself(db)
    .where({ version: before.version })
    .patch(Object.assign(changes, { version: before.version + 1, updatedAt: now }))
    .returning('*')
    .first();
  if (!after) throw new ApiError('version_mismatch');
  return after;
}

/** What many rows count their change with, in one statement. Postgres makes a number of it, where Objection's types want one. */
export function nextVersion(db: Knex): number {
  return db.raw('version + 1') as unknown as number;
}
