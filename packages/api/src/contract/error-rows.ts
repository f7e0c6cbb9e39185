/**
 * Whether to send the same request again: `no` where it would fail again, `yes` after a short pause that grows, `after`
 * the seconds that `Retry-After` says.
 */
export type Retry = 'no' | 'yes' | 'after';

/** One error: its HTTP status, its title, what has happened, and one sentence on how to fix it. */
export interface ErrorRow {
  status: number;
  title: string;
  meaning: string;
  fix: string;
  retry: Retry;
  /** For a 401: a credential was sent, and it is not valid. */
  refusesCredential?: true;
}

/** Errors by code. A code is snake_case and, once published, never changes its meaning. */
export type ErrorRows = Record<string, ErrorRow>;

/** Unique constraints and indexes of the database by name, with the error code for a second row. */
export type UniqueConstraints<Rows extends ErrorRows> = Record<string, keyof Rows>;
