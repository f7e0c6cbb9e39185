import { describe, expect, it } from 'vitest';
import { createAddressMatcher, isAddressRange, isLoopback, isLoopbackHost, networkOf, parseAddress } from './ip.ts';

it.each([
  ['198.51.100.8', '198.51.100.8'],
  ['198.51.100.8:40000', '198.51.100.8'],
  ['198.51.100.8:_hidden', '198.51.100.8'],
  ['[2001:db8::8]', '2001:db8::8'],
  ['[2001:db8::8]:40000', '2001:db8::8'],
  ['2001:DB8:0:0:0:0:0:8', '2001:db8::8'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['::ffff:198.51.100.8', '198.51.100.8'],
  ['::ffff:cb00:7109', '203.0.113.9'],
  ['[::ffff:cb00:7109]:443', '203.0.113.9'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%eth0]:80', 'fe80::1'],
])('reads %s as %s', (text, address) => {
  expect(parseAddress(text)).toBe(address);
});

it.each([
  '',
  'unknown',
  '_hidden',
  'localhost',
  '198.51.100',
  '198.51.100.256',
  '0x7f.1',
  '0177.0.0.1',
  '198.51.100.8:',
  '198.51.100.8:400000',
  '198.51.100.8%eth0',
  '198.51.100.8 198.51.100.9',
  '[2001:db8::8',
  '2001:db8::8]:40000',
  '[2001:db8::8]40000',
  '1:2:3',
])('finds no address in %j', (text) => {
  expect(parseAddress(text)).toBeNull();
});

it.each([
  ['198.51.100.8', '198.51.100.8'],
  ['2001:db8:1:2:3::4', '2001:db8:1:2::/64'],
  ['2001:db8::8', '2001:db8::/64'],
])('counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describe('a matcher of ranges', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.9', true],
    ['203.0.113.77/24', '203.0.113.9', true],
    ['203.0.113.0/24', '203.0.114.9', false],
    ['203.0.113.9', '203.0.113.9', true],
    ['203.0.113.9', '203.0.113.10', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:DB8:0:0::1', '2001:db8::1', true],
    ['::ffff:203.0.113.0/120', '203.0.113.9', true],
    ['::/0', '203.0.113.9', true],
    ['203.0.113.0/24', 'unknown', false],
  ])('of %s with the address %s: %s', (range, address, held) => {
    expect(createAddressMatcher([range])(address)).toBe(held);
  });

  it('contains what one of its ranges contains, and nothing where it has none', () => {
    expect(createAddressMatcher(['192.0.2.1', '2001:db8::/32'])('2001:db8::1')).toBe(true);
    expect(createAddressMatcher([])('192.0.2.1')).toBe(false);
  });
});

it.each([
  '203.0.113.0/33',
  '203.0.113.0/',
  '2001:db8::/129',
  'fe80::1%eth0',
  '203.0.113.0/24/8',
  '203.0.113/24',
  'any',
])('refuses %s as a range', (text) => {
  expect(isAddressRange(text)).toBe(false);
  expect(() => createAddressMatcher([text])).toThrow(text);
});

it.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['192.0.2.1', false],
  ['::', false],
])('says whether %s leads to this machine', (address, local) => {
  expect(isLoopback(address)).toBe(local);
});

it.each([
  ['localhost', true],
  ['LOCALHOST.', true],
  ['127.0.0.2', true],
  ['[::1]', true],
  ['::1', true],
  ['localhost.example.com', false],
  ['127.0.0.1.example.com', false],
  ['0.0.0.0', false],
])('says whether the host %s of a URL is this machine', (host, local) => {
  expect(isLoopbackHost(host)).toBe(local);
});
