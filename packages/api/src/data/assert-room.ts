import { ApiError } from '../contract/errors.ts';

/** Refuses one more where `max` are there. The caller holds a lock, so that of many at once each is counted. */
export async function assertRoom(
  rows: { resultSize(): PromiseLike<number> },
  max: number,
  detail: string,
): Promise<void> {
  if ((await rows.resultSize()) >= max) throw new ApiError('limit_reached', { detail });
}
