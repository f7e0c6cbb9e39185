/** One error: its HTTP status, its title, and the sentence that says how to fix it. */
interface ErrorRow {
  status: number;
  title: string;
  fix: string;
}

/** Errors by code. A code is snake_case and, once published, never changes its meaning. */
export type ErrorRows = Record<string, ErrorRow>;

/** Unique constraints and indexes of the database by name, with the code of the slice that a second row is refused with. */
export type UniqueConstraints<Rows extends ErrorRows> = Record<string, keyof Rows>;
