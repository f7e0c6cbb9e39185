import { Session } from 'node:inspector/promises';

/**
 * Collects all garbage now and gives its memory back. After a start, V8 would keep 60 MB of room for objects that only
 * the start needed.
 */
export async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}
