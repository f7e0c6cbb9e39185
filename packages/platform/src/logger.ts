import { type DestinationStream, type Logger, pino } from 'pino';
import { createPrettyStream } from './logger/pretty.ts';
import { CENSOR, createRedact, redactText } from './logger/redact.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: string;
  /** Names of fields that are secret in this product, in addition to those of credentials in general. */
  secretFields?: readonly string[];
  /** `json`, unless it says otherwise: for machines. */
  format?: LogFormat | undefined;
  destination?: DestinationStream;
}

export type LogFormat = 'pretty' | 'json';

/** Lines on stdout (or `destination`), one for each record, with credentials replaced by `[redacted]`. */
export function createLogger({ level, secretFields = [], format, destination }: LoggerOptions): Logger {
  const redact = createRedact(secretFields);
  const log = pino(
    {
      level,
      base: null,
      formatters: { log: redact, level: (label) => ({ level: label }) }, // a word: what collectors read
      serializers: { err: (error: unknown) => error }, // it is a record already
      hooks: {
        logMethod(args, method) {
          const [first, message] = args as unknown[];
          const own = first instanceof Error && message === undefined ? [first, first.message] : (args as unknown[]);
          const safe = own.map((arg) => (typeof arg === 'string' ? redactText(arg) : arg));
          method.apply(this, safe as Parameters<typeof method>);
        },
      },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination ?? standardOutput(format),
  );
  const child: typeof log.child = log.child;
  // Pino has no hook for what a child logger adds to each of its lines.
  log.child = function (this: Logger, ...[bindings, options]: Parameters<typeof child>) {
    return child.call(this, redact(bindings), options);
  } as typeof child; // generic in custom levels, of which there are none
  return log;
}

function standardOutput(format: LogFormat | undefined): DestinationStream {
  if (format === 'pretty') return createPrettyStream((text) => process.stdout.write(text));
  return pino.destination({ fd: 1, sync: false });
}

/**
 * The same log for records whose every field was chosen by hand: searching for credentials would cost time at each
 * request.
 */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { formatters: { log: (record) => record } });
}

const QUERY_PARAMETER = /([?&][^=&#]*=)[^&#]*/g;
const SECRET_PARAMETER = /token|ticket|code|key|secret|password|signature/i;

/** A URL fit for a log: values of query parameters that carry credentials are replaced. */
export function redactUrl(url: string): string {
  return url.replace(QUERY_PARAMETER, (whole, name: string) =>
    SECRET_PARAMETER.test(name) ? `${name}${CENSOR}` : whole,
  );
}
