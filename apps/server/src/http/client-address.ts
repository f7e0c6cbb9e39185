import type { ClientAddress } from '@rentapi/api/wire/request';
import { BadSettingError } from '@rentapi/platform/env';
import { parseAddress } from '@rentapi/platform/ip';
import proxyaddr from 'proxy-addr';

type Trust = (address: string, hop: number) => boolean;

/**
 * The client's address. `X-Forwarded-For` counts only as far as TRUST_PROXY says (a number of hops, or the addresses of
 * our proxies), because any client can send that header. Where a proxy names no address, its own counts.
 */
export function createClientAddress(trustProxy: string | undefined): ClientAddress {
  if (!trustProxy || trustProxy === '0') return (req) => parseAddress(req.socket.remoteAddress ?? '') ?? UNKNOWN;
  const trusts = /^\d+$/.test(trustProxy) ? (_: string, hop: number) => hop < Number(trustProxy) : compile(trustProxy);
  const trust: Trust = (text, hop) => {
    const address = parseAddress(text ?? '');
    return address !== null && trusts(address, hop);
  };
  return (req) =>
    proxyaddr
      .all(req, trust)
      .map((text) => parseAddress(text ?? ''))
      .findLast((address) => address !== null) ?? UNKNOWN;
}

/** A closed connection no longer knows its peer. */
const UNKNOWN = '0.0.0.0';

function compile(list: string): Trust {
  try {
    return proxyaddr.compile(list.split(',').map((part) => part.trim()));
  } catch {
    throw new BadSettingError(
      'TRUST_PROXY: must be a number of hops, or addresses and CIDR ranges separated by commas.',
    );
  }
}
