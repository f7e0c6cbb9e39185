import { ApiError } from '../contract/errors.ts';

/**
 * Refuses to add a row to `max` or more. Lock the owner of the rows first, so that concurrent additions are counted.
 */
export function assertRoom(count: number, max: number, detail: string): void {
  if (count >= max) throw new ApiError('limit_reached', { detail });
}
