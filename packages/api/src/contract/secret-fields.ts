/** Secret fields of this product whose names do not show it: no log line contains their values. */
export const SECRET_FIELDS: readonly string[] = ['key', 'ticket'];
