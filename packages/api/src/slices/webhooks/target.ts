import { OutboundError } from '@rentapi/platform/outbound';
import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';

/** Throws for an address that would be refused before the network is used. Names are checked when they are called. */
export function assertTarget({ ports }: Context, url: string): void {
  try {
    ports.outbound.check(url);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new ApiError('target_not_allowed', { errors: [{ path: 'url', message: error.message }], cause: error });
  }
}
