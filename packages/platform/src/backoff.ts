/**
 * The pause before the next attempt. It doubles with each failure, up to `maxMs`, and is shortened at random by up to
 * half, so that processes that failed together do not return together. `failures` begins with 1.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: { firstMs: number; maxMs: number }): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * (0.5 + Math.random() / 2);
}
