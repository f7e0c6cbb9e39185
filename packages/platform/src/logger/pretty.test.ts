import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { createLogger, type Logger } from '../logger.ts';
import { createPrettyStream } from './pretty.ts';

/** What a person at the terminal sees, without colours and without the time. */
function seen(write: (log: Logger) => void): string[] {
  let text = '';
  write(createLogger({ level: 'debug', destination: createPrettyStream((more) => (text += more)) }));
  expect(text.at(-1)).toBe('\n');
  const lines = stripVTControlCharacters(text).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d /);
  return lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));
}

const request = {
  method: 'GET',
  url: '/api/v1/users/me',
  procedure: 'users.me.get',
  status: 200,
  durationMs: 2.71,
  bytes: 300,
  requestId: 'abc',
  ip: '127.0.0.1',
};

it('shows a request as one line', () => {
  const caller = { userId: 'usr_1', sessionId: '3f1c', organizationId: 'org_1' };
  const lines = seen((log) => log.info({ ...request, ...caller }, 'request'));
  expect(lines).toEqual(['200 GET /api/v1/users/me 2.7 ms req=abc']);
  const page = { ...request, url: '/docs', requestId: null };
  expect(seen((log) => log.info(page, 'request'))).toEqual(['200 GET /docs 2.7 ms']);
});

it('shows who was refused what', () => {
  const refused = { ...request, status: 403, code: 'permission_denied', userId: 'usr_1' };
  expect(seen((log) => log.warn(refused, 'request'))).toEqual([
    '403 GET /api/v1/users/me 2.7 ms code=permission_denied userId=usr_1 req=abc',
  ]);
});

it('shows the stack of an error below its line', () => {
  const [line, ...stack] = seen((log) => log.error({ ...request, status: 500, err: new Error('the disk is full') }));
  expect(line).toBe('500 GET /api/v1/users/me 2.7 ms req=abc');
  expect(stack[0]).toBe('    Error: the disk is full');
  expect(stack[1]).toMatch(/^ {8}at /);
});

it('shows any other record as its message and its fields', () => {
  expect(seen((log) => log.warn({ queue: 'emails', attempt: 3, of: { id: 1 } }, 'a job failed'))).toEqual([
    'warn a job failed queue=emails attempt=3 of={"id":1}',
  ]);
});

it('lets no record move the cursor or begin a line of its own', () => {
  const lines = seen((log) => log.info({ ...request, url: '/a\u001b[2J\r\n00:00:00 200 GET /b' }, 'request'));
  expect(lines).toEqual(['200 GET /a··00:00:00 200 GET /b 2.7 ms req=abc']);
});
