import path from 'node:path';

/** The directory of the migrations, in order of their names. */
export const MIGRATIONS = path.join(import.meta.dirname, 'migrations');
