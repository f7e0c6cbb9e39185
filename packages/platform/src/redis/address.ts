/** The address of Redis, parsed from `REDIS_URL`. */
export interface RedisAddress {
  cluster: boolean;
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** Always 0 on a cluster, which has only that one. */
  db: number;
  /** One; on a cluster as many as are named, of which one that answers is enough to find the others. */
  nodes: { host: string; port: number }[];
}

const URL_SHAPE = /^(rediss?)(\+cluster)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)(?:\/(\d{0,4}))?$/;
const NODE_SHAPE = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;

/**
 * `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS,
 * `redis+cluster://[user:password@]host:port,host:port` for Redis Cluster (`rediss+cluster://…` with TLS). Null where
 * the text is none of these.
 */
export function parseRedisUrl(text: string): RedisAddress | null {
  const [, scheme, cluster, username, password, hosts, db] = URL_SHAPE.exec(text) ?? [];
  if (!hosts) return null;
  const nodes = [];
  for (const part of hosts.split(',')) {
    const [, ipv6, name, port = '6379'] = NODE_SHAPE.exec(part) ?? [];
    const host = ipv6 ?? name;
    if (!host || Number(port) < 1 || Number(port) > 65_535) return null;
    nodes.push({ host, port: Number(port) });
  }
  if (cluster ? Number(db ?? 0) !== 0 : nodes.length > 1) return null;
  return {
    cluster: cluster !== undefined,
    tls: scheme === 'rediss',
    username: decoded(username),
    password: decoded(password),
    db: Number(db ?? 0),
    nodes,
  };
}

function decoded(part: string | undefined): string | undefined {
  if (!part) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is meant literally
  }
}
