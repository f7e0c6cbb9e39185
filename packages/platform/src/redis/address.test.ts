import { expect, it } from 'vitest';
import { parseRedisUrl } from './address.ts';

const plain = { cluster: false, tls: false, username: undefined, password: undefined, db: 0 };

it.each([
  ['redis://localhost', { ...plain, nodes: [{ host: 'localhost', port: 6379 }] }],
  ['redis://10.0.0.5:6380/3', { ...plain, db: 3, nodes: [{ host: '10.0.0.5', port: 6380 }] }],
  ['redis://[::1]:6380', { ...plain, nodes: [{ host: '::1', port: 6380 }] }],
  ['rediss://cache.example.com/', { ...plain, tls: true, nodes: [{ host: 'cache.example.com', port: 6379 }] }],
  ['redis://:p%40ss@host', { ...plain, password: 'p@ss', nodes: [{ host: 'host', port: 6379 }] }],
  ['redis://app:100%@host', { ...plain, username: 'app', password: '100%', nodes: [{ host: 'host', port: 6379 }] }],
  [
    'redis+cluster://app:secret@a:7000,b:7001,[::1]:7002',
    {
      ...plain,
      cluster: true,
      username: 'app',
      password: 'secret',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
        { host: '::1', port: 7002 },
      ],
    },
  ],
  ['rediss+cluster://one', { ...plain, cluster: true, tls: true, nodes: [{ host: 'one', port: 6379 }] }],
])('reads %s', (text, address) => expect(parseRedisUrl(text)).toEqual(address));

it.each([
  '',
  'localhost:6379',
  'http://localhost',
  'redis://',
  'redis://host:0',
  'redis://host:70000',
  'redis://host:port',
  'redis://host/db',
  'redis://a:1,b:2', // several are a cluster, and have to say so
  'redis+cluster://a:1,b:2/1', // which has no numbered databases
  'redis+cluster://a:1,,b:2',
  'redis://ho st',
])('refuses %j', (text) => expect(parseRedisUrl(text)).toBeNull());
