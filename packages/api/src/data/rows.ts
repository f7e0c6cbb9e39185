import { type Call, executeRows, type Knex, type RowArrays, type Statement } from '@rentapi/platform/database';
import { ApiError } from '../contract/errors.ts';
import type { QueriedRows } from '../contract/pagination.ts';
import type { BaseModel, ModelClass, RowQuery } from './base-model.ts';
import { executeSoon } from './transaction.ts';

/**
 * The rows that a query selects. Objection would copy each twice, under other names and into a model, which costs more
 * than all else that is done with a page of rows. For queries that only select.
 */
export async function readRows<M extends BaseModel, Row extends M = M>(query: RowQuery<M, Row>): Promise<Row[]> {
  const { sql, bindings } = query.toKnexQuery().toSQL().toNative();
  const model = query.modelClass() as unknown as ModelClass<Row>; // `Row` adds selected columns to the model's fields
  return toModels(model, await executeRows(query.knex(), { text: sql }, bindings));
}

/** A list's query, whose page is read by `readRows`. */
export function rowsOf<M extends BaseModel, Row extends M = M>(query: RowQuery<M, Row>): QueriedRows<Row> {
  return {
    where: (column, operator, value) => void query.where(column, operator, value),
    orderBy: (column, order) => void query.orderBy(column, order),
    read: (count) => readRows(query.limit(count)),
  };
}

/**
 * The same for rows that a statement selects. Its text is written once and prepared once on each connection: a query
 * builder that makes it anew for each call takes a tenth of a page's time.
 */
export function rowsOfStatement<M extends BaseModel, Row extends M = M>(
  db: Knex,
  model: ModelClass<M>,
  text: string,
  given: readonly unknown[],
): QueriedRows<Row> {
  const values = [...given];
  const conditions: string[] = [];
  let order = '';
  return {
    where: (column, operator, value) =>
      void conditions.push(
        `${conditions.length === 0 ? 'where' : 'and'} ${quoted(column)} ${operator} $${values.push(value)}`,
      ),
    orderBy(column, direction) {
      order = `order by ${quoted(column)} ${direction}`;
    },
    async read(count) {
      const all = `select * from (${text}) list ${conditions.join(' ')} ${order} limit $${values.push(count)}`;
      const found = await executeRows(db, named('list', model, all), values);
      return toModels(model as ModelClass<Row>, found); // the statement adds selected columns to the model's
    },
  };
}

/** The columns of fields, as SQL. */
export const columnsOf = (table: string, fields: readonly string[]): string =>
  fields.map((field) => `${table}.${quoted(field)}`).join(', ');

/** Rows as models, whose fields are named after the columns. */
export function toModels<M extends BaseModel>(model: ModelClass<M>, { columns, rows }: RowArrays): M[] {
  const fields = columns.map(fieldOf) as (keyof M)[]; // a test compares the models with the tables
  return rows.map((values) => {
    const row = new model();
    for (let at = 0; at < fields.length; at++) row[fields[at]!] = values[at] as M[keyof M];
    return row;
  });
}

/** A row whose columns have the names of the table. */
export function toModel<M extends BaseModel>(model: ModelClass<M>, row: object): M {
  const columns = Object.keys(row);
  return toModels(model, { columns, rows: [Object.values(row)] })[0]!;
}

export type RowLock = 'for share' | 'for update';

/** The row that has these values, by a unique index; locked if the caller's transaction is to change it. */
export async function findRow<M extends BaseModel>(
  db: Knex,
  model: ModelClass<M>,
  where: object,
  lock?: RowLock,
): Promise<M | undefined> {
  const given = givenOf(where);
  const text = `select * from ${model.tableName} where ${equals(given)} ${lock ?? ''}`;
  return toModels(model, await executeRows(db, named('find', model, text), valuesOf(given)))[0];
}

/** A row that is named by another, or by its caller. Throws `not_found`. */
export async function existing<M extends BaseModel>(row: Promise<M | undefined>): Promise<M> {
  const found = await row;
  if (!found) throw new ApiError('not_found');
  return found;
}

/**
 * The same at one cost whether or not there is such a row: the database answers a row in both cases, which is read as
 * any other.
 */
export async function findRowEvenly<M extends BaseModel>(
  db: Knex,
  model: ModelClass<M>,
  where: object,
): Promise<M | undefined> {
  const given = givenOf(where);
  const condition = given.map(([field], at) => `found.${quoted(field)} = $${at + 1}`).join(' and ');
  const text = `select found.* from (values (1)) one left join ${model.tableName} found on ${condition}`;
  const [row] = toModels(model, await executeRows(db, named('find', model, text), valuesOf(given)));
  return row?.id === null ? undefined : row;
}

/** The rows that a statement selects, prepared once on each connection. Its columns are those of the table. */
export async function selectRows<M extends BaseModel>(
  db: Knex,
  model: ModelClass<M>,
  text: string,
  values: readonly unknown[],
): Promise<M[]> {
  return toModels(model, await executeRows(db, named('select', model, text), values));
}

/** Adds a row, and returns it. */
export async function insertRow<M extends BaseModel>(db: Knex, model: ModelClass<M>, fields: object): Promise<M> {
  return toModels(model, await executeRows(db, ...insertion(model, fields)))[0]!;
}

/** The same unless there is such a row: the target of a unique index says which. */
export async function insertUnlessThere<M extends BaseModel>(
  db: Knex,
  model: ModelClass<M>,
  fields: object,
  target: string,
): Promise<M | undefined> {
  const call = insertion(model, fields, `on conflict ${target} do nothing`);
  return toModels(model, await executeRows(db, ...call))[0];
}

/** The statement that adds a row and returns it, to be sent with others. */
export function insertion(model: ModelClass<BaseModel>, fields: object, onConflict = ''): Call {
  const given = givenOf(fields);
  const columns = given.map(([field]) => quoted(field));
  const places = given.map((_, at) => `$${at + 1}`);
  const text = `insert into ${model.tableName} (${columns.join(', ')}) values (${places.join(', ')}) ${onConflict} returning *`;
  return [named('insert', model, text), valuesOf(given)];
}

/**
 * Changes a row that the caller has locked, and returns it as it is then. A transaction does not wait for the answer;
 * where the row no longer has these values, it is undone.
 */
export async function updateRow<M extends BaseModel>(db: Knex, row: M, where: object, changes: Partial<M>): Promise<M> {
  const model = row.constructor as ModelClass<M>; // the class of an instance
  const [changed, compared] = [givenOf(changes), givenOf(where)];
  const sets = changed.map(([field], at) => `${quoted(field)} = $${at + 1}`);
  const condition = equals(compared, changed.length);
  const text = `
    with changed as (update ${model.tableName} set ${sets.join(', ')} where ${condition} returning 1)
    select 1 / count(*) from changed`;
  const values = valuesOf([...changed, ...compared]);
  await executeSoon(db, named('update', model, text), values, () => new ApiError('version_mismatch'));
  return Object.assign(new model(), row, Object.fromEntries(changed));
}

type Given = [field: string, value: unknown][];

const givenOf = (fields: object): Given => Object.entries(fields).filter(([, value]) => value !== undefined);
const valuesOf = (given: Given): unknown[] => given.map(([, value]) => value);

/** The condition that columns have the values that follow the first `before` ones. */
const equals = (given: Given, before = 0): string =>
  given.map(([field], at) => `${quoted(field)} = $${before + at + 1}`).join(' and ');

const MAX_STATEMENTS = 500;
const statements = new Map<string, Statement>();

/** The same columns make the same statement, which each connection prepares once. */
function named(verb: string, { tableName }: ModelClass<BaseModel>, text: string): Statement {
  const known = statements.get(text);
  if (known) return known;
  if (statements.size === MAX_STATEMENTS) return { text };
  const statement = { name: `${verb}_${tableName}_${statements.size}`, text };
  statements.set(text, statement);
  return statement;
}

/** The column of a field, as SQL. */
const quoted = (field: string): string => `"${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;

const FIELDS = new Map<string, string>();

/** `ip_allow_list` is the field `ipAllowList`. */
function fieldOf(column: string): string {
  let field = FIELDS.get(column);
  if (field === undefined) {
    field = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    FIELDS.set(column, field);
  }
  return field;
}
