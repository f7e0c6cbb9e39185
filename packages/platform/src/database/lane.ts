import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Statement } from '../database.ts';
import {
  createReader,
  DESCRIBE,
  encodeCall,
  encodeParse,
  readRow,
  readShape,
  type Shape,
  SYNC,
  toWire,
} from './lane-wire.ts';
import type { ReadOnlyGuard } from './read-only.ts';

/** A statement that Postgres prepares once per connection, under its name. */
type Prepared = Statement & { name: string };

/**
 * One connection that carries short reads of many calls, one behind the other, without waiting for the answers between
 * them (pipelining). It only saves time: what it does not answer, for whatever reason, the pool is asked for.
 */
export interface Lane {
  /**
   * Sends the statement, and calls exactly one of the callbacks. Returns false, and calls none, while there is no
   * connection.
   */
  send(
    statement: Prepared,
    values: readonly unknown[],
    onRows: (rows: unknown[]) => void,
    onFailed: () => void,
  ): boolean;
  readonly isOpen: boolean;
  close(): Promise<void>;
}

/** Without any answer for this long, one statement holds up all others, or the server is gone. */
const MAX_SILENCE_MS = 1000;
/** How long everything goes to the pool after the lane failed. */
const PAUSE_MS = 1000;
/** Calls whose answers the server sends together. Of more, it would send the first while we have nothing to do. */
const MAX_TOGETHER = 8;

export function createLane(config: pg.ClientConfig, readOnly: ReadOnlyGuard): Lane {
  let current: LaneConnection | undefined;
  let opening: Promise<void> | undefined;
  let pausedUntil = 0;
  let closed = false;

  function connection(): LaneConnection | undefined {
    if (current && !readOnly.mayBeUsed(current.client)) leave(current);
    if (!current && !opening && !closed && performance.now() >= pausedUntil) opening = open();
    return current;
  }

  async function open(): Promise<void> {
    const client = new pg.Client({ ...config, pipeline: true });
    client.on('error', () => {}); // a call has failed, or the end follows
    try {
      await client.connect();
      readOnly.watch(client);
      current = new LaneConnection(client, (failed) => {
        leave(failed);
        pausedUntil = performance.now() + PAUSE_MS;
      });
    } catch {
      pausedUntil = performance.now() + PAUSE_MS;
    } finally {
      opening = undefined;
    }
  }

  /** Statements on their way are still answered. */
  function leave(connection: LaneConnection): void {
    if (current === connection) current = undefined;
    void connection.end();
  }

  return {
    send(statement, values, onRows, onFailed) {
      return connection()?.send(statement, values, onRows, onFailed) ?? false;
    },
    get isOpen() {
      return current !== undefined;
    },
    async close() {
      closed = true;
      await opening;
      await current?.end();
    },
  };
}

/** What is on its way. */
interface Call {
  name: string;
  rows: unknown[];
  hasFailed: boolean;
  onRows: (rows: unknown[]) => void;
  onFailed: () => void;
}

/** What pg leaves untyped of its client: the connection below. */
type Wire = pg.Client & { connection: { stream: Duplex; end(): void } };

/** pg opens the connection; from then on calls and their answers are written and read here. */
class LaneConnection {
  readonly client: pg.Client;
  /** Called once a statement has failed, or the connection is lost or silent. */
  readonly #onFailed: (failed: LaneConnection) => void;
  readonly #connection: Wire['connection'];
  readonly #prepared = new Set<string>();
  readonly #shapes = new Map<string, Shape>();
  /** In the order of their answers; null where those that are answered together end. */
  readonly #calls: (Call | null)[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #ended = Promise.withResolvers<void>();
  #isEnding = false;
  #isCorked = false;
  /** Calls that will be answered with the next one. */
  #together = 0;
  #answered = 0;

  constructor(client: pg.Client, onFailed: (failed: LaneConnection) => void) {
    this.client = client;
    this.#onFailed = onFailed;
    this.#connection = (client as Wire).connection;
    this.#timer = setTimeout(() => this.#judgeSilence(), MAX_SILENCE_MS).unref();
    client.once('end', () => this.#giveUp());
    this.#read();
  }

  /** Returns false, and calls neither, where the connection is not open any more. */
  send(
    { name, text }: Prepared,
    values: readonly unknown[],
    onRows: Call['onRows'],
    onFailed: Call['onFailed'],
  ): boolean {
    const { stream } = this.#connection;
    if (this.#isEnding || !stream.writable) return false;
    const message = encodeCall(name, values.map(toWire), this.#shapes.has(name) ? undefined : DESCRIBE);
    this.#cork(stream);
    if (!this.#prepared.has(name)) stream.write(encodeParse(name, text));
    this.#prepared.add(name);
    stream.write(message);
    if (this.#calls.length === 0) this.#timer.refresh();
    this.#calls.push({ name, rows: [], hasFailed: false, onRows, onFailed });
    if (++this.#together === MAX_TOGETHER) this.#endTogether();
    return true;
  }

  /** Once what is on its way is answered. */
  end(): Promise<void> {
    if (!this.#isEnding && this.#calls.length === 0) this.#connection.end();
    this.#isEnding = true;
    return this.#ended.promise;
  }

  #endTogether(): void {
    this.#together = 0;
    this.#calls.push(null);
    this.#connection.stream.write(SYNC);
  }

  /** What is sent in one turn of the event loop leaves in one write. */
  #cork(stream: Duplex): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    stream.cork();
    setImmediate(() => {
      this.#isCorked = false;
      if (this.#together > 0) this.#endTogether();
      stream.uncork();
    });
  }

  #read(): void {
    const { stream } = this.#connection;
    const calls = this.#calls;
    const [readOther] = stream.listeners('data') as ((message: Buffer) => void)[]; // pg's own
    stream.removeAllListeners('data');
    const read = createReader({
      onShape: (message) => {
        if (calls[0]) this.#shapes.set(calls[0].name, readShape(message, this.client));
      },
      onRow: (bytes, at) => {
        if (calls[0]) this.#addRow(calls[0], bytes, at);
      },
      onComplete: () => {
        if (calls[0]) this.#settle(calls.shift()!);
      },
      onReady: () => {
        // One has failed, and the server has skipped those behind it.
        for (let call = calls.shift(); call; call = calls.shift()) this.#settle({ ...call, hasFailed: true });
        if (this.#isEnding && calls.length === 0) this.#connection.end();
      },
      onOther: readOther!,
    });
    stream.on('data', read);
  }

  #addRow(call: Call, bytes: Buffer, at: number): void {
    try {
      call.rows.push(readRow(bytes, at, this.#shapes.get(call.name)!));
    } catch {
      call.hasFailed = true; // the pool repeats the statement, and reports why
    }
  }

  #settle({ rows, hasFailed, onRows, onFailed }: Call): void {
    this.#answered++;
    this.#timer.refresh();
    if (hasFailed) {
      this.#onFailed(this);
      onFailed();
    } else onRows(rows);
  }

  #giveUp(): void {
    this.#isEnding = true;
    this.#onFailed(this);
    this.#ended.resolve();
    for (const call of this.#calls.splice(0)) call?.onFailed();
  }

  #judgeSilence(): void {
    if (this.#calls.length === 0) return;
    const answered = this.#answered;
    // After a long turn of the event loop, answers may have arrived that are not read yet.
    setImmediate(() => {
      if (this.#answered !== answered) return;
      this.#onFailed(this);
      this.#connection.stream.destroy(new Error(`Connection terminated: no answer for ${MAX_SILENCE_MS} ms`));
    });
  }
}
