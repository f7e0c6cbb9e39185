import type { Knex } from '@rentapi/platform/database';
import { Model } from 'objection';

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
}

/** What many rows count their change with, in one statement. Postgres makes a number of it, where Objection's types want one. */
export function nextVersion(db: Knex): number {
  return db.raw('version + 1') as unknown as number;
}
