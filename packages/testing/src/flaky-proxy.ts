import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can be cut, or stall without either end noticing. */
export interface FlakyProxy {
  url: string;
  /** From now on nothing arrives, and neither end notices. As with TCP, nothing is lost: it arrives after `heal`. */
  stall(): void;
  /** Open connections stall for ever; new ones work. */
  silence(): void;
  /** Ends open connections, and refuses new ones until healed. */
  cut(): void;
  /**
   * Cuts a connection that has sent `statement`, behind its next COMMIT: the commit is done, and the client does not
   * learn it.
   */
  loseCommitAfter(statement: string): void;
  heal(): void;
  close(): Promise<void>;
}

export async function startFlakyProxy(targetUrl: string): Promise<FlakyProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>(); // healing does not restore these
  let mode: 'whole' | 'stalled' | 'cut' = 'whole';
  let marked: string | null = null;
  const server = createServer((near) => {
    if (mode === 'cut') return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    let following = false;
    let losing = false;
    near.on('data', (data) => {
      if (marked === null) return;
      following ||= data.includes(marked);
      if (!following || !/commit;?\0/i.test(data.toString('latin1'))) return;
      losing = true;
      marked = null;
    });
    far.on('data', () => {
      if (losing) near.destroy(); // the server has answered: it is committed
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      if (mode === 'stalled') from.pause();
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        silent.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    stall() {
      mode = 'stalled';
      for (const socket of sockets) socket.pause();
    },
    silence() {
      for (const socket of sockets) silent.add(socket.pause());
      sockets.clear();
    },
    cut() {
      mode = 'cut';
      drop();
    },
    loseCommitAfter(statement) {
      marked = statement;
    },
    heal() {
      mode = 'whole';
      for (const socket of sockets) socket.resume();
    },
    async close() {
      drop();
      for (const socket of silent) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
