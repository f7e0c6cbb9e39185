import { getCreateTableSQL } from '@agendajs/postgres-backend';

/** The table that this version of Agenda expects: the migration must have created all of it. */
export function expectedTable(name: string): string {
  return getCreateTableSQL(name);
}
