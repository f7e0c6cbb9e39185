/** Fields of this product that are secret though their names say nothing of it: no log line holds their values. */
export const SECRET_FIELDS: readonly string[] = ['key', 'ticket'];
