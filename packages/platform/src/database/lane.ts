import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Statement } from '../database.ts';
import { LaneQuery, type Shape } from './lane-query.ts';
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
    client.on('error', () => {}); // its statements have failed, and its end follows
    try {
      await client.connect();
      readOnly.watch(client);
      const opened = new LaneConnection(client, () => {
        leave(opened);
        pausedUntil = performance.now() + PAUSE_MS;
      });
      client.once('end', opened.fail);
      current = opened;
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
      const lane = connection();
      lane?.send(statement, values, onRows, onFailed);
      return lane !== undefined;
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

class LaneConnection {
  readonly client: pg.Client;
  /** Called once a statement has failed, or the connection is lost or silent. */
  readonly fail: () => void;
  readonly #shapes = new Map<string, Shape>();
  readonly #timer: NodeJS.Timeout;
  #ending: Promise<void> | undefined;
  #corked = false;
  #sent = 0;
  #answered = 0;

  constructor(client: pg.Client, fail: () => void) {
    this.client = client;
    this.fail = fail;
    this.#timer = setTimeout(() => this.#judgeSilence(), MAX_SILENCE_MS).unref();
  }

  send(statement: Prepared, values: readonly unknown[], onRows: (rows: unknown[]) => void, onFailed: () => void): void {
    const query = new LaneQuery({
      statement,
      values,
      client: this.client,
      shapes: this.#shapes,
      onRows: (rows) => {
        this.#countAnswer();
        onRows(rows);
      },
      onFailed: () => {
        this.#countAnswer();
        this.fail();
        onFailed();
      },
    });
    if (this.#sent++ === this.#answered) this.#timer.refresh();
    this.#cork();
    this.client.query(query);
  }

  /** Once what is on its way is answered. */
  end(): Promise<void> {
    return (this.#ending ??= this.client.end());
  }

  get #stream(): Duplex {
    return (this.client as Wire).connection.stream;
  }

  /** What is sent in one turn of the event loop leaves in one write. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const stream = this.#stream;
    stream.cork();
    setImmediate(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  #countAnswer(): void {
    this.#answered++;
    this.#timer.refresh();
  }

  #judgeSilence(): void {
    const answered = this.#answered;
    if (this.#sent === answered) return;
    // After a long turn of the event loop, answers may have arrived that are not read yet.
    setImmediate(() => {
      if (this.#answered !== answered) return;
      this.fail();
      this.#stream.destroy(new Error(`Connection terminated: no answer for ${MAX_SILENCE_MS} ms`));
    });
  }
}

/** What pg leaves untyped of its client: the connection below. */
type Wire = pg.Client & { connection: pg.Connection };
