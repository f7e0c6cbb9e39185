import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Names whose values never reach a log line, at the top of a record and one or two levels down. */
const SECRET_NAMES = [
  'password',
  'currentPassword',
  'newPassword',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'challengeToken',
  'ticket',
  'key',
  'code',
  'authorization',
  'cookie',
  'x-api-key',
  'set-cookie',
];

/** JSON lines on stdout (or `destination`), one a record, with secrets replaced by `[redacted]`. */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const paths = SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths, censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

/**
 * The same log for records whose every field was chosen by hand. Looking for secrets in a record costs more than 100 µs, which
 * is what a whole request costs.
 */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] });
}

const QUERY_PARAMETER = /([?&][^=&#]*=)[^&#]*/g;
const SECRET_PARAMETER = /token|ticket|code|key|secret|password|signature/i;

/** A URL fit for a log: values of query parameters that carry credentials are replaced. */
export function redactUrl(url: string): string {
  return url.replace(QUERY_PARAMETER, (whole, name: string) =>
    SECRET_PARAMETER.test(name) ? `${name}[redacted]` : whole,
  );
}
