import { describe, expect, it } from 'vitest';
import { createReader, encodeCall, SYNC, toWire } from './lane-wire.ts';

function message(code: string, body: string): Buffer {
  const bytes = Buffer.from(`${code}....${body}`);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

/** A row, its end, a notice, a failure and the end of all. */
const ARRIVING = Buffer.concat(
  [
    ['2', ''],
    ['D', 'row'],
    ['C', 'SELECT 1\0'],
    ['N', 'notice'],
    ['E', 'error'],
    ['Z', 'I'],
  ].map(([code, body]) => message(code!, body!)),
);

describe('a reader', () => {
  it.each([1, 2, 3, 5, 7, 11, 1000])('finds the same in parts of %i bytes', (size) => {
    const found: string[] = [];
    const read = createReader({
      onShape: () => found.push('shape'),
      onRow: (bytes, at) => found.push(bytes.toString('latin1', at, at + 3)),
      onComplete: () => found.push('complete'),
      onReady: () => found.push('ready'),
      onOther: (other) => found.push(other.toString('latin1', 5)),
    });
    for (let at = 0; at < ARRIVING.length; at += size) read(ARRIVING.subarray(at, at + size));
    expect(found).toEqual(['row', 'complete', 'notice', 'error', 'ready']);
  });
});

describe('a call', () => {
  it('is one message for each step, which end where they say', () => {
    const bytes = Buffer.concat([encodeCall('é', ['ü', null, Buffer.from([0, 255]), toWire(7)]), SYNC]);
    const codes: string[] = [];
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1))
      codes.push(String.fromCharCode(bytes[at]!));
    expect(codes).toEqual(['B', 'E', 'S']);
  });

  it('takes nothing of which the form is not known', () => {
    for (const value of [undefined, true, new Date(0), { a: 1 }]) expect(() => toWire(value)).toThrow(TypeError);
  });
});
