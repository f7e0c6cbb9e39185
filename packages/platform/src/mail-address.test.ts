import { expect, it } from 'vitest';
import { asciiMailAddress, mailAddressFault } from './mail-address.ts';

const PLAIN = 'must be an e-mail address';

it.each([
  'user@example.xn--p1ai',
  'user@münchen.de',
  'user@почта.рф',
  'user/dept=shipping@example.com',
  ..."!#$%&'*+/=?^_`{|}~-".split('').map((character) => `user${character}x@example.com`),
  'first.last@example.museum',
  `${'a'.repeat(64)}@example.com`,
  `x@${'a'.repeat(63)}.com`,
])('accepts %s', (address) => {
  expect(mailAddressFault(address)).toBeNull();
});

it.each([
  [`${'a'.repeat(65)}@example.com`, 'must have at most 64 characters before the @'],
  [`x@${'a'.repeat(64)}.com`, 'must have at most 63 characters between two dots of its domain'],
  [`x@${'ü'.repeat(63)}.com`, 'must have at most 63 characters between two dots of its domain'],
  [`${'a'.repeat(1_000_000)}@example.com`, 'must have at most 254 characters'],
  [`x@${Array(10).fill('münchenmünchenmünchen').join('.')}.de`, 'must have at most 254 characters'],
  ['josé@example.com', 'must have only ASCII characters before the @'],
  ['example.com', PLAIN],
  ['@example.com', PLAIN],
  ['user@', PLAIN],
  ['user@localhost', PLAIN],
  ['user@127.0.0.1', PLAIN],
  ['user@0x7f.1', PLAIN],
  ['user@[127.0.0.1]', PLAIN],
  ['user@exa%6dple.com', PLAIN],
  ['user@example.com:25', PLAIN],
  ['user@-example.com', PLAIN],
  ['user@ex_ample.com', PLAIN],
  ['user@example..com', PLAIN],
  ['.user@example.com', PLAIN],
  ['us..er@example.com', PLAIN],
  ['us er@example.com', PLAIN],
  ['a@b@example.com', PLAIN],
  ['"user"@example.com', PLAIN],
])('refuses %.60s', (address, why) => {
  expect(mailAddressFault(address)).toBe(why);
});

it('writes a domain as mail servers accept it', () => {
  expect(asciiMailAddress('User@Example.COM')).toBe('User@Example.COM');
  expect(asciiMailAddress('User@MÜNCHEN.de')).toBe('User@xn--mnchen-3ya.de');
  expect(asciiMailAddress('User@xn--mnchen-3ya.de')).toBe('User@xn--mnchen-3ya.de');
});

it.each(['ϲ', '𝛓', '𝜍', '𝝇', '𝞁', 'ς'])('writes one domain for every form of the final sigma: %s', (sigma) => {
  expect(mailAddressFault(`user@${sigma}.gr`)).toBeNull();
  expect(asciiMailAddress(`user@${sigma}.gr`)).toBe('user@xn--3xa.gr');
});
