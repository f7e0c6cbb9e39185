import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Dispatcher, Pool } from 'undici';

/** What a delivery costs at least: a signed POST, and its answer read. `POST /` with a `SignedLoad` runs it. */
export interface SignedLoad {
  origin: string;
  paths: readonly string[];
  times: number;
  connections: number;
  data: unknown;
  /** Where each is also inserted, claimed and stored with its attempt: what at least once costs at least. */
  storedIn?: string;
}

type Send = (at: number) => Promise<Attempt>;

interface Attempt {
  at: number;
  startedAt: string;
  durationMs: number;
  statusCode: number;
  requestHeaders: Record<string, string>;
  responseHeaders: Dispatcher.ResponseData['headers'];
}

const KEY = Buffer.from('the-key-of-the-loop-by-hand-0123');
/** As many as a worker of ours stores at once, under its load. */
const STORE_EVERY_MS = 10;

async function drive(load: SignedLoad): Promise<void> {
  const { origin, paths, connections, data } = load;
  const pool = new Pool(origin, { connections });
  const send: Send = async (at) => {
    const timestamp = new Date();
    const [id, timestampS] = [`evt_${at}`, String(Math.floor(timestamp.getTime() / 1000))];
    const body = JSON.stringify({ type: 'api_key.created', timestamp: timestamp.toISOString(), data });
    const signature = createHmac('sha256', KEY).update(`${id}.${timestampS}.${body}`).digest('base64');
    const requestHeaders = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestampS,
      'webhook-signature': `v1,${signature}`,
    };
    const path = paths[at % paths.length]!;
    const answer = await pool.request({ method: 'POST', path, headers: requestHeaders, body });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`the receiver answered ${answer.statusCode}`);
    const durationMs = Date.now() - timestamp.getTime();
    const { statusCode, headers: responseHeaders } = answer;
    return { at, startedAt: timestamp.toISOString(), durationMs, statusCode, requestHeaders, responseHeaders };
  };
  await (load.storedIn === undefined ? sendAll(load, send) : sendStored(load, load.storedIn, send));
  await pool.close();
}

async function sendAll({ times, connections }: SignedLoad, send: Send): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let at = next++; at < times; at = next++) await send(at);
  };
  await Promise.all(Array.from({ length: connections }, sender));
}

const TABLES = `
  drop table if exists waiting_by_hand, attempts_by_hand;
  create table waiting_by_hand (at integer primary key, attempts integer not null, due_at timestamptz not null);
  create table attempts_by_hand (
    at integer, started_at timestamptz, duration_ms integer, status_code integer, request_headers jsonb,
    response_headers jsonb, primary key (at, started_at))`;

const INSERT = 'insert into waiting_by_hand select n, 0, now() from generate_series(0, $1::integer - 1) n';

const CLAIM = `
  update waiting_by_hand set attempts = attempts + 1, due_at = now() + interval '30 seconds'
  where ctid = any (array(
    select ctid from waiting_by_hand where due_at <= now() order by at limit $1 for update skip locked))
  returning at`;

const STORE = `
  with result as (
    select * from jsonb_to_recordset($1) as r (
      at integer, "startedAt" timestamptz, "durationMs" integer, "statusCode" integer, "requestHeaders" jsonb,
      "responseHeaders" jsonb)
  ), ended as (delete from waiting_by_hand using result where waiting_by_hand.at = result.at)
  insert into attempts_by_hand select * from result`;

/** Each statement is planned once, and claims and stores go on at the same time. */
async function sendStored({ times, connections }: SignedLoad, databaseUrl: string, send: Send): Promise<void> {
  const [claims, stores] = [new pg.Client(databaseUrl), new pg.Client(databaseUrl)];
  await Promise.all([claims.connect(), stores.connect()]);
  await stores.query(TABLES);
  await stores.query(INSERT, [times]);
  const ended: Attempt[] = [];
  const failed = Promise.withResolvers<never>();
  let [sending, claimed, stored] = [0, 0, 0];

  async function claimAll(): Promise<void> {
    for (; claimed < times; await sleep(1)) {
      if (sending > connections / 2) continue;
      const { rows } = await claims.query<{ at: number }>({
        name: 'claim',
        text: CLAIM,
        values: [connections - sending],
      });
      claimed += rows.length;
      sending += rows.length;
      for (const { at } of rows) void send(at).then(noteEnd, failed.reject);
    }
  }

  function noteEnd(attempt: Attempt): void {
    sending--;
    ended.push(attempt);
  }

  async function storeAll(): Promise<void> {
    for (; stored < times; await sleep(STORE_EVERY_MS)) {
      const batch = ended.splice(0);
      if (batch.length > 0) await stores.query({ name: 'store', text: STORE, values: [JSON.stringify(batch)] });
      stored += batch.length;
    }
  }

  await Promise.race([failed.promise, Promise.all([claimAll(), storeAll()])]);
  await stores.query('drop table waiting_by_hand, attempts_by_hand');
  await Promise.all([claims.end(), stores.end()]);
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
