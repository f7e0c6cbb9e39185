export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A minute after the first failure, an hour after the seventh and later ones. */
export const backoffMs = (failures: number): number => Math.min(MINUTE_MS * 2 ** Math.min(failures, 10), HOUR_MS);
