import { RentApiError } from './errors.ts';

/** One try of a call, for hooks. It carries no credential and no body. */
export interface CallAttempt {
  /** `apiKeys.create`; `request` for `client.request`. */
  operationId: string;
  method: string;
  url: string;
  /** 1 for the first try. */
  attempt: number;
}

/** Called while calls are made. What they return is ignored, and a hook that fails does not change the call. */
export interface Hooks {
  /** Before each try. */
  request?: ((call: CallAttempt) => unknown) | undefined;
  /** After each answer, refusals included. */
  response?:
    | ((call: CallAttempt & { status: number; durationMs: number; requestId: string | null }) => unknown)
    | undefined;
  /** Before the wait for the next try. */
  retry?: ((call: CallAttempt & { error: RentApiError; delayMs: number }) => unknown) | undefined;
  /** Once, when the call has failed for good. `durationMs` is that of all tries. */
  error?:
    | ((call: CallAttempt & { error: unknown; durationMs: number; requestId: string | null }) => unknown)
    | undefined;
}

type LoggedLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogLevel = 'off' | LoggedLevel;

/** `console`, pino and others have these four. */
export type Logger = Record<LoggedLevel, (message: string, ...details: unknown[]) => void>;

export interface ObserverOptions {
  /** Where to report. Default `console`. */
  logger?: Logger | undefined;
  /** `info` adds repeats, `debug` requests and answers; never credentials, query strings or bodies. Default `warn`. */
  logLevel?: LogLevel | undefined;
  hooks?: Hooks | undefined;
}

const LEVELS: readonly LogLevel[] = ['off', 'error', 'warn', 'info', 'debug'];

/** Reports calls to the logger and the hooks. Nothing that they do reaches the call. */
export class Observer {
  readonly #logger: Logger;
  readonly #level: number;
  readonly #hooks: Hooks;

  constructor({ logger = console, logLevel = 'warn', hooks = {} }: ObserverOptions) {
    this.#logger = logger;
    this.#level = LEVELS.indexOf(logLevel);
    if (this.#level < 0) throw new TypeError(`\`logLevel\` must be one of ${LEVELS.join(', ')}.`);
    this.#hooks = hooks;
  }

  request(call: CallAttempt): void {
    this.log('debug', `${call.operationId}: ${call.method} ${call.url.split('?')[0]} (attempt ${call.attempt})`);
    this.#run('request', this.#hooks.request, call);
  }

  response(call: CallAttempt, status: number, requestId: string | null, durationMs: number): void {
    this.log(
      'debug',
      `${call.operationId}: ${status} in ${Math.round(durationMs)} ms (attempt ${call.attempt}, request ${requestId})`,
    );
    this.#run('response', this.#hooks.response, { ...call, status, requestId, durationMs });
  }

  retry(call: CallAttempt, error: RentApiError, delayMs: number): void {
    this.log(
      'info',
      `${call.operationId}: ${error.code}, again in ${Math.round(delayMs)} ms (attempt ${call.attempt})`,
    );
    this.#run('retry', this.#hooks.retry, { ...call, error, delayMs });
  }

  error(call: CallAttempt, error: unknown, durationMs: number): void {
    const known = error instanceof RentApiError ? error : null;
    const requestId = known?.requestId ?? null;
    this.log('debug', `${call.operationId}: failed (${known?.code})`);
    this.#run('error', this.#hooks.error, { ...call, error, requestId, durationMs });
  }

  log(level: LoggedLevel, message: string, ...details: unknown[]): void {
    if (LEVELS.indexOf(level) > this.#level) return;
    try {
      this.#logger[level](`[rentapi] ${message}`, ...details);
    } catch {
      // There is nowhere left to report to.
    }
  }

  #run<Info>(name: string, hook: ((info: Info) => unknown) | undefined, info: Info): void {
    if (hook)
      runSafely(
        () => hook(info),
        (error) => this.log('warn', `The hook \`${name}\` failed.`, error),
      );
  }
}

/** Runs code of the caller's, so that neither an exception nor a rejected promise gets out. */
export function runSafely(work: () => unknown, onFailure: (error: unknown) => void): void {
  try {
    Promise.resolve(work()).catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}
