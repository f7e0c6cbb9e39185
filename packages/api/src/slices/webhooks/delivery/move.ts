/** What a delivery keeps when it is settled or sent again. */
const SAME = ['organization_id', 'id', 'webhook_id', 'event_id', 'event_type', 'payload', 'attempts', 'created_at'];
/** What is given in SQL. */
const GIVEN = ['status', 'step', 'due_at', 'status_code', 'error', 'settled_at'] as const;

/**
 * Inserts rows that were deleted into the other partition of `webhook_deliveries`. An update would do both, but fails
 * every statement that waits for the row, where a deleted row is passed over.
 */
export const insertMoved = (from: string, given: Record<(typeof GIVEN)[number], string>): string => `
    insert into webhook_deliveries (${[...SAME, ...GIVEN].join(', ')}) overriding system value
    select ${[...SAME.map((column) => `d.${column}`), ...GIVEN.map((column) => given[column])].join(', ')}
    from ${from} d`;
