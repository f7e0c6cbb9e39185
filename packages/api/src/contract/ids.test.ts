import { describe, expect, it } from 'vitest';
import { anyId, createIds, prefixOf } from './ids.ts';

const ids = createIds('an id secret of the tests, long enough');
const ROWS = [1, 2, 31, 32, 255, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];

describe('public ids', () => {
  it.each(ROWS)('decode to row %d again', (row) => {
    expect(ids.decode('usr', ids.encode('usr', row))).toBe(row);
  });

  it('are a prefix and 26 characters of lowercase Crockford base32', () => {
    for (const row of ROWS) expect(ids.encode('key', row)).toMatch(/^key_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('differ from kind to kind and from deployment to deployment', () => {
    const others = createIds('another id secret of the tests, as long');
    const same = [ids.encode('usr', 7), ids.encode('org', 7), others.encode('usr', 7)].map((id) => id.slice(4));
    expect(new Set(same).size).toBe(3);
  });

  it('have one spelling each', () => {
    const id = ids.encode('usr', 7);
    for (const spelling of [id.toUpperCase(), ` ${id}`, `${id}0`, id.slice(0, -1), id.replace('usr', 'key')]) {
      expect(() => ids.decode('usr', spelling)).toThrow();
    }
    const last = '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(id.at(-1)!);
    for (const spare of [1, 2, 3]) {
      const other = id.slice(0, -1) + '0123456789abcdefghjkmnpqrstvwxyz'[last + spare];
      expect(() => ids.decode('usr', other)).toThrow();
    }
  });

  it('of one of several kinds are accepted, and name their kind', () => {
    const either = anyId(['usr', 'key']);
    expect(either.parse(ids.encode('key', 7))).toBe(ids.encode('key', 7));
    expect([prefixOf(ids.encode('key', 7)), prefixOf('toString_x'), prefixOf('')]).toEqual([
      'key',
      undefined,
      undefined,
    ]);
    for (const other of [ids.encode('org', 7), `x${ids.encode('usr', 7)}`, ids.encode('usr', 7).slice(0, -1)]) {
      const [issue] = either.safeParse(other).error!.issues;
      expect(issue!.message).toBe('must be the id of a user or an API key (usr_…, key_…)');
    }
  });

  it('cannot be guessed: of 100,000 well-formed ids none decodes', () => {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    let decoded = 0;
    for (let at = 0; at < 100_000; at++) {
      let text = 'usr_';
      for (let character = 0; character < 25; character++) text += alphabet[Math.floor(Math.random() * 32)];
      try {
        ids.decode('usr', `${text}0`);
        decoded++;
      } catch {}
    }
    expect(decoded).toBe(0);
  });

  it('are never made of an invalid row id', () => {
    for (const row of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => ids.encode('usr', row)).toThrow(RangeError);
  });
});
