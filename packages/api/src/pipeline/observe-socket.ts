import type { Context } from '../context.ts';
import { toApiError } from '../contract/problem.ts';
import { callerFields, levelOf } from './observe-request.ts';

/** What was refused: a procedure, an action of the realtime protocol, or the handshake at a path. */
interface Refused {
  procedure?: string | undefined;
  action?: string | undefined;
  url?: string;
}

const written = new WeakSet<object>();

/** One line for what was refused, or failed, on a socket: its request has no end of its own. */
export function logRefused(
  { ports, request }: Pick<Context, 'ports' | 'request'>,
  error: unknown,
  what: Refused,
): void {
  const { status, errorCode, cause } = toApiError(error);
  const level = levelOf(status);
  ports.log[level](
    {
      transport: 'socket',
      ...what,
      status,
      code: errorCode,
      requestId: request.requestId,
      ip: request.ip,
      ...callerFields(ports, request.observed?.caller ?? {}),
      ...(status >= 500 && { err: cause ?? error }),
    },
    'refused on a socket',
  );
}

/** The same for a call that tRPC reports once more when it answers it. */
export function logRefusedCall(ctx: Context, error: unknown, procedure: string): void {
  logRefused(ctx, error, { procedure });
  if (typeof error === 'object' && error !== null) written.add(error);
}

/** Whether the line of a failure is written already, as itself or as the cause in tRPC's own error. Asked once. */
export function hasLine(error: Error): boolean {
  return written.delete(error) || (error.cause instanceof Error && written.delete(error.cause));
}
