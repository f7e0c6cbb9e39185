import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Knex } from '@rentapi/platform/database';

interface Field {
  name: string;
  nullable: boolean;
}

const SLICES = path.join(import.meta.dirname, '../slices');
const CLASS = /class (\w+) extends (Base|Tenant)Model \{\s*static override tableName = '(\w+)';([\s\S]*?)\n\}/g;
const FIELD = /^ {2}declare (\w+): ([^;]+);/gm;

/**
 * Compares fields of the models with columns of the database, one sentence per difference. `declare`d fields do not
 * exist at run time, so they are read from the sources: a check for development, not for production.
 */
export async function checkModels(database: Knex): Promise<string[]> {
  const differences: string[] = [];
  for (const { model, table, fields } of await readModels()) {
    const columns = new Map((await columnsOf(database, table)).map((column) => [column.name, column]));
    if (columns.size === 0) differences.push(`${model}: there is no table ${table}.`);
    for (const { name, nullable } of fields) {
      const column = columns.get(name);
      if (!column) differences.push(`${model}.${name}: ${table} has no such column.`);
      else if (column.nullable !== nullable)
        differences.push(
          `${model}.${name}: the column is ${column.nullable ? '' : 'not '}nullable, the field is${nullable ? '' : ' not'}.`,
        );
      columns.delete(name);
    }
    for (const name of columns.keys()) differences.push(`${model} has no field for the column ${name} of ${table}.`);
  }
  return differences;
}

async function readModels(): Promise<{ model: string; table: string; fields: Field[] }[]> {
  const files = (await readdir(SLICES, { recursive: true }))
    .filter((file) => path.basename(file) === 'model.ts')
    .sort();
  const sources = await Promise.all(files.map((file) => readFile(path.join(SLICES, file), 'utf8')));
  return sources.flatMap((source) =>
    [...source.matchAll(CLASS)].map(([, model = '', base, table = '', body = '']) => ({
      model,
      table,
      fields: [
        { name: 'id', nullable: false }, // BaseModel's
        ...(base === 'Tenant' ? [{ name: 'organizationId', nullable: false }] : []),
        ...[...body.matchAll(FIELD)].map(([, name = '', type = '']) => ({ name, nullable: /\| null\b/.test(type) })),
      ],
    })),
  );
}

async function columnsOf(database: Knex, table: string): Promise<Field[]> {
  const columns: { columnName: string; isNullable: string }[] = await database('information_schema.columns')
    .where({ tableSchema: 'public', tableName: table })
    .select('columnName', 'isNullable');
  return columns.map(({ columnName, isNullable }) => ({
    name: columnName.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    nullable: isNullable === 'YES',
  }));
}
