import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Ports } from '@rentapi/api/context';
import { closePorts, openPorts } from '@rentapi/api/ports';
import { readEnv } from '@rentapi/platform/env';
import { createLogger } from '@rentapi/platform/logger';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { inject } from 'vitest';
import { createHttpServer } from '../src/http/server.ts';
import { SECRETS } from './processes.ts';

/**
 * A whole server in the process of the test, on a database of its own, and the lines it logs. It serves after
 * `serve()`.
 */
export async function startInProcess(settings: Record<string, string> = {}) {
  const database = await cloneDatabase(inject('postgres'));
  const env = readEnv({
    NODE_ENV: 'test',
    PORT: '0',
    BCRYPT_COST: '4',
    RATE_LIMIT_PER_MINUTE: '1000',
    DEFAULT_PLAN: 'ENTERPRISE',
    ...settings,
  });
  const lines: string[] = [];
  const ports: Ports = openPorts({
    env,
    log: createLogger({ level: env.LOG_LEVEL, destination: { write: (line) => void lines.push(line) } }),
    databaseUrl: database.url,
    secrets: SECRETS,
    mailer: { send: async () => {}, close: async () => {} },
    version: '0.0.0',
  });
  const http = await createHttpServer({
    ports,
    secrets: SECRETS,
    databaseUrl: database.url,
    directUrl: database.url,
    migrationUrl: database.url,
    serving: undefined,
    mailbox: null,
    embedded: null,
  });
  return {
    url: `http://127.0.0.1:${http.port}`,
    port: http.port,
    ports,
    lines,
    serve: http.serve,
    async close() {
      await http.close();
      await closePorts(ports);
      await database.drop();
    },
  };
}

/** The raw answer to bytes that no client library would send, until the server closes the connection. */
export async function rawExchange(port: number, request: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(request);
  const answer = await text(socket);
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, body: body.join('\r\n\r\n') };
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}
