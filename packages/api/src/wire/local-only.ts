import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback, parseAddress } from '@rentapi/platform/ip';

/**
 * Whether the client is on this machine, by the address of the socket, never by a header. Two cases look the same on
 * the socket and are refused: a proxy or tunnel on this machine that forwards a request, and a web site whose name was
 * pointed at 127.0.0.1 (DNS rebinding), which could make a browser here read the answer.
 */
export function isLocal(req: IncomingMessage): boolean {
  if (!isLoopback(req.socket.remoteAddress ?? '')) return false;
  // Browsers and scrapers speak HTTP/1.1; proxies with their default settings may not.
  if (req.httpVersion === '1.0' || isForwarded(req.headers)) return false;
  return isLocalName(req.headers.host ?? '');
}

/** Headers that proxies, balancers, tunnels and content networks add to a request that they forward. */
const FORWARDING = new RegExp(
  `^(?:${[
    'via|forwarded|client-ip|remote-addr|true-client-ip|max-forwards|proxy-.*|cdn-.*|cf-.*|fastly-.*|akamai-.*|fly-.*',
    'x-(?:forwarded|original|originating|real|client|remote|cluster|proxy|proxyuser|host|scheme|ssl|via|envoy)(?:-.*)?',
    'x-(?:amz|amzn|azure|arr|appengine|cloud|vercel|nf|railway|ngrok|tailscale|render|akamai|edge|varnish)(?:-.*)?',
    'tailscale-.*|ngrok-.*|ali-cdn-.*|wl-proxy-.*',
  ].join('|')})$`,
);

function isForwarded(headers: IncomingHttpHeaders): boolean {
  for (const [name, value] of Object.entries(headers)) {
    if (FORWARDING.test(name)) return true;
    // Any header with an address, whatever its name: a client has no reason to send one, except as the host.
    if (
      name !== 'host' &&
      String(value)
        .split(',')
        .some((text) => parseAddress(text.trim()) !== null)
    )
      return true;
  }
  return false;
}

function isLocalName(host: string): boolean {
  const address = parseAddress(host);
  if (address !== null) return isLoopback(address);
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost');
}
