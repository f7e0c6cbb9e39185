import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Pool } from 'undici';

/** What a delivery costs at least: a signed POST, and its answer read. `POST /` with a `SignedLoad` runs it. */
export interface SignedLoad {
  origin: string;
  paths: readonly string[];
  times: number;
  connections: number;
  data: unknown;
}

const KEY = Buffer.from('the-key-of-the-loop-by-hand-0123');

async function drive({ origin, paths, times, connections, data }: SignedLoad): Promise<void> {
  const pool = new Pool(origin, { connections });
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at < times; at = next++) {
      const timestamp = new Date();
      const [id, timestampS] = [`evt_${at}`, String(Math.floor(timestamp.getTime() / 1000))];
      const body = JSON.stringify({ type: 'api_key.created', timestamp: timestamp.toISOString(), data });
      const signature = createHmac('sha256', KEY).update(`${id}.${timestampS}.${body}`).digest('base64');
      const answer = await pool.request({
        method: 'POST',
        path: paths[at % paths.length]!,
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': timestampS,
          'webhook-signature': `v1,${signature}`,
        },
        body,
      });
      await answer.body.dump();
      if (answer.statusCode >= 300) throw new Error(`the receiver answered ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  await pool.close();
}

const server = createServer(async (req, res) => {
  try {
    await drive(JSON.parse(await text(req)));
    res.end('{}');
  } catch (error) {
    res.writeHead(500).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`The loop is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
