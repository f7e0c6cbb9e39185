/** One error: its HTTP status, its title, and one sentence on how to fix it. */
interface ErrorRow {
  status: number;
  title: string;
  fix: string;
  /** For a 401: a credential was sent, and it is not valid. */
  refusesCredential?: true;
}

/** Errors by code. A code is snake_case and, once published, never changes its meaning. */
export type ErrorRows = Record<string, ErrorRow>;

/** Unique constraints and indexes of the database by name, with the error code for a second row. */
export type UniqueConstraints<Rows extends ErrorRows> = Record<string, keyof Rows>;
