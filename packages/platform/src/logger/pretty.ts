import { stripVTControlCharacters, styleText } from 'node:util';
import type { DestinationStream } from 'pino';

type Style = Parameters<typeof styleText>[0];
type Line = Record<string, unknown> & { level: string; time: string; msg?: string };

const STYLES: Record<string, Style> = { fatal: 'red', error: 'red', warn: 'yellow', debug: 'dim', trace: 'dim' };
const INDENT = '    ';

/** For people at a terminal: a line for each record, the stack of an error below it. Gets the JSON lines of the log. */
export function createPrettyStream(write: (text: string) => void): DestinationStream {
  return { write: (json) => write(`${prettyLine(JSON.parse(json) as Line)}\n`) };
}

function prettyLine({ level, time, msg = '', ...fields }: Line): string {
  const { err, ...rest } = fields;
  const [text, others] = isRequest(rest) ? requestText(rest) : [`${level} ${msg}`, rest];
  const details = Object.entries(others).map(([name, value]) => `${name}=${inLine(value)}`);
  const clock = new Date(time).toTimeString().slice(0, 8);
  const line = [
    clock,
    styleText(STYLES[level] ?? 'reset', printable(text)),
    styleText('dim', printable(details.join(' '))),
  ];
  return [line.join(' ').trimEnd(), ...stackOf(err)].join('\n');
}

const isRequest = ({ method, url, status }: Record<string, unknown>): boolean =>
  typeof method === 'string' && typeof url === 'string' && typeof status === 'number';

/** What one looks for first: how it ended, what was called, how long it took; of a refusal, also who called. */
function requestText(fields: Record<string, unknown>): [string, Record<string, unknown>] {
  const { status, method, url, durationMs, procedure, bytes, ip, requestId, ...rest } = fields;
  const text = `${status} ${method} ${url} ${Number(durationMs).toFixed(1)} ms`;
  const { userId, sessionId, keyId, organizationId, ...unexpected } = rest;
  return [text, { ...(Number(status) < 400 ? unexpected : rest), ...(requestId !== null && { req: requestId }) }];
}

const inLine = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function stackOf(err: unknown): string[] {
  if (typeof err !== 'object' || err === null) return [];
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  return String(stack ?? message ?? '')
    .split('\n')
    .map((line) => INDENT + printable(line));
}

/** A URL may hold what moves the cursor or starts a line of its own. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '·');
}
