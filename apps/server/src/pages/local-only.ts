import type { IncomingMessage } from 'node:http';
import { isLoopback, parseAddress } from '@rentapi/platform/ip';

/**
 * Whether somebody at this very machine asks. The socket's address decides, never a header's claim. Two cases look the
 * same on the socket and are refused besides: a proxy or tunnel on this machine that speaks for someone else, and a web
 * site whose name was pointed at 127.0.0.1 (DNS rebinding), which a browser here would let read the answer.
 */
export function isLocal(req: IncomingMessage): boolean {
  if (!isLoopback(req.socket.remoteAddress ?? '')) return false;
  if (req.headers.forwarded !== undefined || req.headers['x-forwarded-for'] !== undefined) return false;
  return isLocalName(req.headers.host ?? '');
}

function isLocalName(host: string): boolean {
  const address = parseAddress(host);
  if (address !== null) return isLoopback(address);
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost');
}
