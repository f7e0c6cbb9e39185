export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Banks end within days what takes them days. */
const BANK_PATIENCE_MS = 30 * DAY_MS;

/** Whether a bank has had something for so long that someone should ask the provider. */
export const isStuck = (now: Date, since: Date): boolean => now.getTime() - since.getTime() >= BANK_PATIENCE_MS;

/** When to look again at what a bank has: daily, and monthly once it is stuck. */
export const nextLook = (now: Date, since: Date): Date =>
  new Date(now.getTime() + (isStuck(now, since) ? BANK_PATIENCE_MS : DAY_MS));

/** A minute after the first failure, an hour after the seventh and later ones. */
export const backoffMs = (failures: number): number => Math.min(MINUTE_MS * 2 ** Math.min(failures, 10), HOUR_MS);
