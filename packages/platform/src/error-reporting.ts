export interface ErrorReporter {
  /** Sends the failure and these facts; nothing else of the request leaves. */
  report(error: unknown, facts: Record<string, string>): void;
  /** Waits a moment for what is under way. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 2000;
const SEND_TIMEOUT_MS = 5000;

/**
 * Failures, sent to Sentry. Its core alone: the packages around it patch node:http and read requests, bodies and headers
 * included. Loaded here and not before, so that a process without a DSN neither reads nor holds it.
 */
export async function openErrorReporter(options: {
  dsn: string;
  release: string;
  environment: string;
}): Promise<ErrorReporter> {
  const [sentry, server] = await Promise.all([import('@sentry/core'), import('@sentry/core/server')]);
  const client = new server.ServerRuntimeClient({
    ...options,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    integrations: [],
    sendClientReports: false,
    stackParser: sentry.createStackParser(server.nodeStackLineParser()),
    transport: (transportOptions) =>
      sentry.createTransport(transportOptions, async ({ body }) => {
        const response = await fetch(transportOptions.url, {
          method: 'POST',
          body: body as string,
          headers: transportOptions.headers ?? {},
          signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
        });
        await response.body?.cancel();
        return {
          statusCode: response.status,
          headers: {
            'x-sentry-rate-limits': response.headers.get('x-sentry-rate-limits'),
            'retry-after': response.headers.get('retry-after'),
          },
        };
      }),
  });
  client.init();

  return {
    report(error, facts) {
      const scope = new sentry.Scope();
      scope.setTags(facts);
      client.captureException(error, { mechanism: { type: 'generic', handled: false } }, scope);
    },
    async close() {
      await client.close(CLOSE_TIMEOUT_MS);
    },
  };
}
