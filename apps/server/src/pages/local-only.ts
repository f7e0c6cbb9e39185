import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether somebody at this very machine asks. The socket's address decides, never a header's claim. Two cases look the
 * same on the socket and are refused besides: a proxy or tunnel on this machine that speaks for someone else, and a web
 * site whose name was pointed at 127.0.0.1 (DNS rebinding), which a browser here would let read the answer.
 */
export function isLocal(req: IncomingMessage): boolean {
  const address = req.socket.remoteAddress ?? '';
  const family = isIP(address);
  if (family === 0 || !loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')) return false;
  if (req.headers.forwarded !== undefined || req.headers['x-forwarded-for'] !== undefined) return false;
  return isLocalName(req.headers.host ?? '');
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return isIP(name) === 4 && loopback.check(name, 'ipv4');
}
