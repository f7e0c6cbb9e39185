import { ConnectionError } from './errors.ts';
import { abortReason } from './retry.ts';

/** One JSON value a line, each as soon as it has arrived. Throws where the answer breaks off before its end. */
export async function* readLines<Value>(
  { body }: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value, void, undefined> {
  if (!body) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let ended = false; !ended; ) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw signal?.aborted ? abortReason(signal) : brokenOff(cause);
      });
      ended = done;
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
      rest = lines.pop() ?? '';
      // The guarantee: the document declares this type for the lines of this operation.
      for (const line of lines) yield JSON.parse(line) as Value;
    }
    if (rest !== '') throw brokenOff();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function brokenOff(cause?: unknown): ConnectionError {
  return new ConnectionError('The answer broke off: it is incomplete.', { code: 'connection_failed', cause });
}
