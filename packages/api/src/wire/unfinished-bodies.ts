import { ApiError } from '../contract/errors.ts';

const MAX_HELD_BYTES = 64 * 1024 ** 2;
/** A few bodies must fit, whatever the limit of one. */
const MIN_BODIES = 8;
const RETRY_AFTER_S = 2;

/**
 * The memory of request bodies that are still being sent. The total is bounded, because a client need not finish: when
 * it is full, the body that has been awaited longest is given up, so that prompt clients are served.
 */
export interface UnfinishedBodies {
  readonly heldBytes: number;
  /** `giveUp` is called at most once, to refuse the request and free its memory. */
  enter(giveUp: (error: ApiError) => void): HeldBody;
}

interface HeldBody {
  /** The body now takes this many bytes. */
  grow(bytes: number): void;
  /** The body is complete, or given up. May be repeated. */
  leave(): void;
}

export function createUnfinishedBodies(bodyLimitBytes: number): UnfinishedBodies {
  const maxBytes = Math.max(MAX_HELD_BYTES, MIN_BODIES * bodyLimitBytes);
  const bodies = new Set<{ bytes: number; giveUp: (error: ApiError) => void }>(); // in order of arrival
  let heldBytes = 0;

  return {
    get heldBytes() {
      return heldBytes;
    },
    enter(giveUp) {
      const body = { bytes: 0, giveUp };
      bodies.add(body);
      return {
        grow(bytes) {
          heldBytes += bytes - body.bytes;
          body.bytes = bytes;
          for (const oldest of bodies) {
            if (heldBytes <= maxBytes) return;
            oldest.giveUp(noRoom());
          }
        },
        leave() {
          if (bodies.delete(body)) heldBytes -= body.bytes;
        },
      };
    },
  };
}

function noRoom(): ApiError {
  return new ApiError('unavailable', {
    detail: 'The server waits for too many unfinished bodies: repeat the request, and send its body without a pause.',
    retryAfterS: RETRY_AFTER_S,
  });
}
