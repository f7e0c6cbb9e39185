import type { RefusedCall } from '../generated/index.d.ts';

export function isRentApiError(error: unknown): error is RefusedCall {
  if (!(error instanceof Error) || !('data' in error)) return false;
  const { data } = error;
  if (typeof data !== 'object' || data === null || !('problem' in data)) return false;
  const { problem } = data;
  return typeof problem === 'object' && problem !== null && 'code' in problem && 'requestId' in problem;
}
