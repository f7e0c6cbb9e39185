import type { ClientAddress } from '@rentapi/api/wire/request';
import { BadSettingError } from '@rentapi/platform/env';
import proxyaddr from 'proxy-addr';

/**
 * The address a request came from. `X-Forwarded-For` counts only as far as TRUST_PROXY says — a number of hops, or the
 * addresses of our proxies — because anybody can send that header.
 */
export function createClientAddress(trustProxy: string | undefined): ClientAddress {
  if (!trustProxy || trustProxy === '0') return (req) => req.socket.remoteAddress ?? '0.0.0.0';
  const trust = /^\d+$/.test(trustProxy) ? (_: string, hop: number) => hop < Number(trustProxy) : compile(trustProxy);
  return (req) => proxyaddr(req, trust);
}

function compile(list: string): (address: string, hop: number) => boolean {
  try {
    return proxyaddr.compile(list.split(',').map((part) => part.trim()));
  } catch {
    throw new BadSettingError(
      'TRUST_PROXY: must be a number of hops, or addresses and CIDR ranges separated by commas.',
    );
  }
}
