import pg from 'pg';
import type { Statement } from '../database.ts';

// The one file that uses what pg does not document, for the version that pnpm-workspace.yaml pins: a statement that is
// described once for each connection, and rows that are read by position. `pnpm bench lane` measures what that saves.

/** The columns of a statement, as its first answer on a connection describes them. */
export interface Shape {
  names: readonly string[];
  /** Copied for each row: an object that grows by one column after the other is moved several times. */
  empty: Readonly<Record<string, unknown>>;
  parsers: readonly ((text: string) => unknown)[];
}

/** What pg leaves untyped of a connection. */
type Wire = pg.Connection & {
  parsedStatements: Record<string, string>;
  submittedNamedStatements: Record<string, string>;
};

/** What pg leaves untyped of a query. */
interface PgQuery extends pg.Submittable {
  name: string;
  /** pg reports a statement that it refuses to send here. */
  callback: () => void;
}

/** pg lets only its own queries into a pipeline. */
const PgQuery = pg.Query as unknown as new (text: string) => PgQuery;

export interface LaneQueryOptions {
  statement: Statement & { name: string };
  values: readonly unknown[];
  client: pg.Client;
  shapes: Map<string, Shape>;
  onRows(rows: unknown[]): void;
  onFailed(): void;
}

/** A prepared statement in a pipeline. Exactly one of its two callbacks is called. */
export class LaneQuery extends PgQuery {
  readonly #options: LaneQueryOptions;
  readonly #values: (Buffer | string | null)[];
  readonly #rows: unknown[] = [];
  #shape: Shape | undefined;
  #failed = false;

  constructor(options: LaneQueryOptions) {
    super(options.statement.text);
    this.name = options.statement.name;
    this.callback = () => this.handleError();
    this.#options = options;
    this.#values = options.values.map(toWire);
    this.submit = (connection) => this.#send(connection as Wire);
  }

  #send(connection: Wire): void {
    const { name, text } = this.#options.statement;
    const { parsedStatements, submittedNamedStatements } = connection;
    if (parsedStatements[name] === undefined && submittedNamedStatements[name] === undefined) {
      connection.parse({ name, text, types: [] }, true);
      submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values: this.#values }, true);
    this.#shape = this.#options.shapes.get(name);
    if (!this.#shape) connection.describe({ type: 'P', name: '' }, true);
    connection.execute(null, true);
    connection.sync();
  }

  handleRowDescription({ fields }: { fields: readonly pg.FieldDef[] }): void {
    const { client, shapes } = this.#options;
    const names = fields.map(({ name }) => name);
    this.#shape = {
      names,
      empty: Object.fromEntries(names.map((name) => [name, null])),
      parsers: fields.map(({ dataTypeID }) => client.getTypeParser(dataTypeID, 'text')),
    };
    shapes.set(this.name, this.#shape);
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const { names, empty, parsers } = this.#shape!;
    const row = { ...empty };
    try {
      for (let at = 0; at < fields.length; at++) {
        const text = fields[at]!;
        if (text !== null) row[names[at]!] = parsers[at]!(text);
      }
      this.#rows.push(row);
    } catch {
      this.#failed = true; // the pool repeats the statement, and reports why
    }
  }

  handleCommandComplete(): void {}

  handleError(): void {
    this.#options.onFailed();
  }

  handleReadyForQuery(): void {
    if (this.#failed) this.#options.onFailed();
    else this.#options.onRows(this.#rows);
  }
}

/** Values in the form in which pg sends them. Before anything is sent: half a message would spoil the connection. */
function toWire(value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string' || value instanceof Buffer) return value;
  if (typeof value === 'number') return String(value);
  throw new TypeError(`a statement in the lane takes text, numbers, bytes and null, not ${typeof value}`);
}
