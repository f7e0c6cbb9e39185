import { ApiError } from '../contract/errors.ts';

/**
 * Refuses to add a row to `max` or more. Lock the owner of the rows first, so that concurrent additions are counted.
 */
export async function assertRoom(
  rows: { resultSize(): PromiseLike<number> },
  max: number,
  detail: string,
): Promise<void> {
  if ((await rows.resultSize()) >= max) throw new ApiError('limit_reached', { detail });
}
