import { BlockList, isIP } from 'node:net';

/** Ranges that are not of the public internet (IANA special-purpose registries), and what they are instead. */
const RANGES_IPV4 = {
  unspecified: ['0.0.0.0/8'],
  loopback: ['127.0.0.0/8'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  shared: ['100.64.0.0/10'],
  'link-local': ['169.254.0.0/16'],
  'cloud metadata': ['168.63.129.16/32'], // Azure's, in a range that is otherwise public
  reserved: ['192.0.0.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.175.48.0/24', '240.0.0.0/4'],
  documentation: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  benchmarking: ['198.18.0.0/15'],
  multicast: ['224.0.0.0/4'],
};
const RANGES_IPV6 = {
  unspecified: ['::/128'],
  loopback: ['::1/128'],
  'IPv4 inside IPv6': ['::ffff:0:0/96', '::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
  private: ['fc00::/7', 'fec0::/10'],
  'link-local': ['fe80::/10'],
  multicast: ['ff00::/8'],
  documentation: ['2001:db8::/32', '3fff::/20'],
  reserved: ['2001::/23', '2620:4f:8000::/48'],
};
const GLOBAL_IPV6 = ['2000::/3'];

const FORBIDDEN = {
  ipv4: Object.entries(RANGES_IPV4).map(([name, subnets]) => ({ name, list: listOf('ipv4', subnets) })),
  ipv6: Object.entries(RANGES_IPV6).map(([name, subnets]) => ({ name, list: listOf('ipv6', subnets) })),
};
const globalIpv6 = listOf('ipv6', GLOBAL_IPV6);

/** The kind of address that must not be connected to for a tenant; null for one of the public internet. */
export function forbiddenRange(address: string): string | null {
  const version = isIP(address);
  if (version === 0) return 'unknown';
  if (address.includes('%')) return 'link-local'; // only those have a zone
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const range = FORBIDDEN[family].find(({ list }) => list.check(address, family));
  if (range) return range.name;
  return family === 'ipv6' && !globalIpv6.check(address, family) ? 'reserved' : null;
}

/** Names of this machine and of private networks (RFC 6761, 6762, 8375; ICANN, 2024), and of a cloud's metadata. */
const NAMES = {
  loopback: ['localhost', 'localdomain'],
  private: ['local', 'internal', 'home.arpa', 'intranet', 'lan'],
  'cloud metadata': ['metadata.goog'],
};

/**
 * The kind of a name that leads nowhere on the public internet, whatever a resolver says: the server's own may know
 * names of its network. Null for other names.
 */
export function forbiddenName(hostname: string): string | null {
  const name = hostname.toLowerCase().replace(/\.+$/, '');
  const found = Object.entries(NAMES).find(([, suffixes]) =>
    suffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`)),
  );
  if (found) return found[0];
  return name.includes('.') ? null : 'private'; // no public host has a name of one label
}

function listOf(family: 'ipv4' | 'ipv6', subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}
