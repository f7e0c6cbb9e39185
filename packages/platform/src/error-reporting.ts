export interface ErrorReporter {
  /** Sends the failure and these facts; nothing else of the request leaves the process. */
  report(error: unknown, facts: Record<string, string>): void;
  /** Waits a moment for reports being sent. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 2000;
const SEND_TIMEOUT_MS = 5000;

/**
 * Failures, sent to Sentry. Only its core is used: the packages around it patch node:http and read requests with bodies
 * and headers. It is loaded here, so that a process without a DSN does not load it.
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
          redirect: 'error', // the report goes where the operator said, and nowhere else
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
