import type pg from 'pg';

// The messages of PostgreSQL's protocol that the lane writes and reads. pg ends each call by itself, so that the server
// sends each answer by itself; `pnpm bench lane` measures what it saves that calls end together here.

/** The columns of a statement, as its first answer on a connection describes them. */
export interface Shape {
  names: readonly string[];
  /** Copied for each row: an object that grows by one column after the other is moved several times. */
  empty: Readonly<Record<string, unknown>>;
  parsers: readonly BytesParser[];
}

type BytesParser = (bytes: Buffer, from: number, to: number) => unknown;

export type WireValue = Buffer | string | null;

/** Values in the form in which pg sends them. Before anything is sent: half a message would spoil the connection. */
export function toWire(value: unknown): WireValue {
  if (value === null || typeof value === 'string' || value instanceof Buffer) return value;
  if (typeof value === 'number') return String(value);
  throw new TypeError(`a statement in the lane takes text, numbers, bytes and null, not ${typeof value}`);
}

/** Codes of the server's messages. */
const DATA_ROW = 68;
const ROW_DESCRIPTION = 84;
const COMPLETE = 67;
const READY = 90;
/** Parsed and bound: the end of the call says as much. */
const SILENT = new Set([49, 50]);

/** Code and length, which counts itself. */
const HEADER = 5;
/** Formats of values. That of null does not count. */
const TEXT = 0;
const BINARY = 1;

/** Prepares a statement, for all calls behind it. */
export function encodeParse(name: string, text: string): Buffer {
  const body = Buffer.from(`${name}\0${text}\0\0\0`); // no types of parameters
  return Buffer.concat([header('P', body.length), body]);
}

export const DESCRIBE = Buffer.concat([header('D', 2), Buffer.from('P\0')]);
const EXECUTE = Buffer.concat([header('E', 5), Buffer.alloc(5)]);
/** Ends the calls before it: after one that has failed, the server skips the others up to here. */
export const SYNC = header('S', 0);

/** Binds the values to a prepared statement, and runs it. `describe` goes between the two. */
export function encodeCall(name: string, values: readonly WireValue[], describe?: Buffer): Buffer {
  let size = HEADER + 1 + Buffer.byteLength(name) + 1 + 2 + 2 + 2;
  for (const value of values) size += 6 + lengthOf(value);
  const bytes = Buffer.allocUnsafe(size + (describe?.length ?? 0) + EXECUTE.length);
  bytes[0] = 66; // B
  let at = bytes.writeInt32BE(size - 1, 1);
  bytes[at++] = 0; // the unnamed portal
  at += bytes.write(name, at);
  bytes[at++] = 0;
  at = bytes.writeInt16BE(values.length, at);
  for (const value of values) at = bytes.writeInt16BE(typeof value === 'object' ? BINARY : TEXT, at);
  at = bytes.writeInt16BE(values.length, at);
  for (const value of values) {
    if (value === null) {
      at = bytes.writeInt32BE(-1, at);
      continue;
    }
    const length = typeof value === 'string' ? bytes.write(value, at + 4) : value.copy(bytes, at + 4);
    at = bytes.writeInt32BE(length, at) + length;
  }
  at = bytes.writeInt16BE(0, at); // all columns as text
  if (describe) at += describe.copy(bytes, at);
  EXECUTE.copy(bytes, at);
  return bytes;
}

const lengthOf = (value: WireValue): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? 0);

function header(code: string, bodyLength: number): Buffer {
  const bytes = Buffer.alloc(HEADER, code);
  bytes.writeInt32BE(4 + bodyLength, 1);
  return bytes;
}

/** What a reader finds. */
export interface Answers {
  /** The columns of the rows that follow. */
  onShape(message: Buffer): void;
  onRow(bytes: Buffer, at: number): void;
  /** A call is answered. */
  onComplete(): void;
  /** All calls up to a `SYNC` are answered, or one of them has failed. */
  onReady(): void;
  /** A whole message about something else, such as why a call has failed. */
  onOther(message: Buffer): void;
}

/** Takes what arrives, in any parts. */
export function createReader(answers: Answers): (chunk: Buffer) => void {
  let rest: Buffer | undefined;
  return (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    while (at + HEADER <= bytes.length) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      const code = bytes[at]!;
      if (code === DATA_ROW) answers.onRow(bytes, at + HEADER);
      else if (code === COMPLETE) answers.onComplete();
      else if (code === READY) answers.onReady();
      else if (code === ROW_DESCRIPTION) answers.onShape(bytes.subarray(at + HEADER, end));
      else if (!SILENT.has(code)) answers.onOther(bytes.subarray(at, end));
      at = end;
    }
    rest = at === bytes.length ? undefined : bytes.subarray(at);
  };
}

/** After the name of a column: its table, place, type, size, modifier and format. */
const BYTES_OF_COLUMN = 18;
const TYPE_AT = 6;

export function readShape(message: Buffer, client: pg.Client): Shape {
  const names: string[] = [];
  const parsers: BytesParser[] = [];
  let at = 2;
  for (let left = message.readInt16BE(0); left > 0; left--) {
    const end = message.indexOf(0, at);
    names.push(message.toString('utf8', at, end));
    const type = message.readUInt32BE(end + 1 + TYPE_AT);
    parsers.push(parserOf(type, client));
    at = end + 1 + BYTES_OF_COLUMN;
  }
  return { names, empty: Object.fromEntries(names.map((name) => [name, null])), parsers };
}

export function readRow(bytes: Buffer, from: number, { names, empty, parsers }: Shape): unknown {
  const row = { ...empty };
  let at = from + 2; // their number is known
  for (let column = 0; column < names.length; column++) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) continue; // null
    row[names[column]!] = parsers[column]!(bytes, at, at + length);
    at += length;
  }
  return row;
}

function parserOf(type: number, client: pg.Client): BytesParser {
  const parse: (text: string) => unknown = client.getTypeParser(type, 'text');
  return (bytes, from, to) => parse(bytes.toString('utf8', from, to));
}
