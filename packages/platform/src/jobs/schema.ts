import { getCreateTableSQL } from '@agendajs/postgres-backend';

/** The table as this version of Agenda expects it: what a migration has made must have all of it. */
export function expectedTable(name: string): string {
  return getCreateTableSQL(name);
}
