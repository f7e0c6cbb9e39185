import { describe, expect, it } from 'vitest';
import { createKeyring, createSecretBox } from './secrets.ts';

const OLD = 'the-first-secret-of-the-deployment-0001';
const NEW = 'the-second-secret-of-the-deployment-002';
const box = (secret: string, old: string[] = [], purpose = 'rentapi/webhook') =>
  createSecretBox(createKeyring(secret, old), purpose);

describe('a secret box', () => {
  it('returns what was sealed, of any length and script', () => {
    for (const text of ['', 'whsec_abc', 'żółw 🐢 \u0000', 'x'.repeat(100_000)]) {
      expect(box(NEW).open(box(NEW).seal(text, 'row 1'), 'row 1')).toBe(text);
    }
  });

  it('never seals the same text twice alike, and never in the clear', () => {
    const [first, second] = [box(NEW).seal('whsec_abc', 'row 1'), box(NEW).seal('whsec_abc', 'row 1')];
    expect(first.equals(second)).toBe(false);
    expect(first.includes('whsec')).toBe(false);
  });

  it('opens after the secret was rotated, as long as the old one is given', () => {
    const sealed = box(OLD).seal('whsec_abc', 'row 1');
    expect(box(NEW, [OLD]).open(sealed, 'row 1')).toBe('whsec_abc');
    expect(box(NEW, ['a-secret-of-another-installation-0003', OLD]).open(sealed, 'row 1')).toBe('whsec_abc');
    expect(box(NEW).open(sealed, 'row 1')).toBeNull();
  });

  it('seals under the new secret after a rotation', () => {
    const sealed = box(NEW, [OLD]).seal('whsec_abc', 'row 1');
    expect(box(NEW).open(sealed, 'row 1')).toBe('whsec_abc');
    expect(box(OLD).open(sealed, 'row 1')).toBeNull();
  });

  it('opens only for its own context and purpose', () => {
    const sealed = box(NEW).seal('whsec_abc', 'webhook 1');
    expect(box(NEW).open(sealed, 'webhook 2')).toBeNull();
    expect(box(NEW, [], 'rentapi/totp').open(sealed, 'webhook 1')).toBeNull();
  });

  it('notices a change of any bit, and of the length', () => {
    const sealed = box(NEW).seal('whsec_abc', 'row 1');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(box(NEW, [OLD]).open(changed, 'row 1')).toBeNull();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(box(NEW).open(sealed.subarray(0, length), 'row 1')).toBeNull();
    }
    expect(box(NEW).open(Buffer.concat([sealed, Buffer.from([0])]), 'row 1')).toBeNull();
  });
});
