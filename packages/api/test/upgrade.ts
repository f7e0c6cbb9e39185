import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { Answer } from './app.ts';

export interface RefusedUpgrade {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Answer['body'];
}

/** Asks for an upgrade: null where it is granted (the socket is closed again), else the answer. */
export function tryUpgrade(
  url: string,
  options: { headers?: Record<string, string>; origin?: string } = {},
): Promise<RefusedUpgrade | null> {
  const socket = new WebSocket(url.replace('http', 'ws'), options);
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.close();
      resolve(null);
    });
    socket.on('unexpected-response', (request, response) => {
      text(response)
        .then((body) => resolve({ status: response.statusCode!, headers: response.headers, body: JSON.parse(body) }))
        .catch(reject)
        .finally(() => request.destroy());
    });
    socket.on('error', reject);
  });
}
