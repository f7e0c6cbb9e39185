import { describe, expect, it } from 'vitest';
import { forbiddenRange } from './addresses.ts';

describe('addresses that are not of the public internet', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.255.255.255', 'unspecified'],
    ['10.0.0.0', 'private'],
    ['10.255.255.255', 'private'],
    ['100.64.0.0', 'shared'],
    ['100.127.255.255', 'shared'],
    ['100.100.100.200', 'shared'], // a cloud's metadata
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['168.63.129.16', 'cloud metadata'],
    ['169.254.0.0', 'link-local'],
    ['169.254.169.254', 'link-local'], // most clouds' metadata
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.192', 'reserved'], // a cloud's metadata
    ['192.0.2.1', 'documentation'],
    ['192.31.196.1', 'reserved'],
    ['192.52.193.1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['192.168.0.0', 'private'],
    ['192.168.255.255', 'private'],
    ['192.175.48.1', 'reserved'],
    ['198.18.0.0', 'benchmarking'],
    ['198.19.255.255', 'benchmarking'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.255', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.0', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::7f00:1', 'IPv4 inside IPv6'],
    ['::ffff:127.0.0.1', 'IPv4 inside IPv6'],
    ['::ffff:8.8.8.8', 'IPv4 inside IPv6'], // this spelling has no use
    ['::ffff:0:7f00:1', 'reserved'],
    ['64:ff9b::7f00:1', 'IPv4 inside IPv6'],
    ['64:ff9b::10.0.0.1', 'IPv4 inside IPv6'],
    ['64:ff9b:1::1', 'IPv4 inside IPv6'],
    ['100::1', 'reserved'],
    ['2001::1', 'IPv4 inside IPv6'], // Teredo
    ['2001:10::1', 'reserved'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', 'IPv4 inside IPv6'], // 6to4
    ['2620:4f:8000::1', 'reserved'],
    ['3fff::1', 'documentation'],
    ['4000::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'private'], // a cloud's metadata
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fec0::1', 'private'],
    ['ff02::1', 'multicast'],
    ['', 'unknown'],
    ['example.com', 'unknown'],
    ['127.1', 'unknown'],
  ])('%s is %s', (address, range) => expect(forbiddenRange(address)).toBe(range));
});

describe('addresses of the public internet', () => {
  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:200::1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
  ])('%s', (address) => expect(forbiddenRange(address)).toBeNull());
});
