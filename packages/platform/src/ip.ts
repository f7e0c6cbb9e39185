import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address as proxies write it: IPv6 in brackets, and after either kind a port (RFC 7239, section 6). */
const NODE = /^(?:\[([^\]]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** The address in its one form: no port, no zone, an IPv4 address mapped into IPv6 as IPv4. Null for other text. */
export function parseAddress(text: string): string | null {
  const node = NODE.exec(text);
  const address = node?.[1] ?? node?.[2] ?? text;
  const version = isIP(address);
  if (version === 0) return null;
  return version === 4 ? address : ipaddr.process(address.split('%', 1)[0]!).toString();
}

/**
 * The client behind a parsed address: the address itself (IPv4), or its /64 (IPv6), which is what one subscriber gets.
 */
export function networkOf(address: string): string {
  return isIPv6(address) ? `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64` : address;
}

/** Whether a text is an address or a range in CIDR notation. */
export const isAddressRange = (text: string): boolean => parseRange(text) !== null;

/** Whether one of the ranges contains an address. The ranges are parsed here, once. */
export function createAddressMatcher(ranges: readonly string[]): (address: string) => boolean {
  const parsed = ranges.map((text) => {
    const range = parseRange(text);
    if (!range) throw new TypeError(`${text} is no address and no range in CIDR notation`);
    return range;
  });
  return (address) => {
    if (isIP(address) === 0) return false;
    const wide = toIPv6(address);
    return parsed.some((range) => wide.match(range));
  };
}

/** Addresses that lead to this machine. */
export const isLoopback = createAddressMatcher(['127.0.0.0/8', '::1']);

/** Whether a host of a URL (IPv6 with or without its brackets) is this machine. */
export const isLoopbackHost = (host: string): boolean =>
  /^localhost\.?$/i.test(host) || isLoopback(/^\[(.+)\]$/.exec(host)?.[1] ?? host);

function parseRange(text: string): [ipaddr.IPv6, number] | null {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return null;
  const width = version === 4 ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width)) return null;
  return [toIPv6(address), 128 - width + Number(bits ?? width)];
}

/** IPv4 and IPv6 ranges share one list: an IPv4 address is compared as the IPv6 address that it is mapped to. */
function toIPv6(address: string): ipaddr.IPv6 {
  const parsed = ipaddr.parse(address);
  return parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress() : parsed;
}
