/** Calls in one tRPC batch. */
export const MAX_BATCH = 20;
