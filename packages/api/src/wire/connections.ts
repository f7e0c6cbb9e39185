import type { ProcessReports } from '@rentapi/platform/process-reports';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { CLOSE, endedWith } from './connection.ts';

/** The sockets and streams of a process, counted for those who run it. */
export interface Connections {
  add(socket: WebSocket, path: string): void;
  /** Whose socket it is, once that is known. */
  assign(socket: WebSocket, organizationId: number): void;
  /** Counts a stream of events, until the returned function is called. */
  addStream(): () => void;
  stats(): ProcessStats;
}

const Count = z.int().nonnegative();

/** What a process reports. Another one may be of another version. */
export const ProcessStats = z.object({
  startedAt: z.iso.datetime(),
  paths: z.record(z.string(), Count),
  subscriptions: Count,
  queuedBytes: Count,
  dropped: z.object({ tooSlow: Count, tooMuch: Count }),
  organizations: z.array(z.object({ organizationId: z.int(), connections: Count })),
});
export type ProcessStats = z.output<typeof ProcessStats>;

/** Of each process, those with the most connections are reported. */
const MAX_REPORTED = 1000;

export function createConnections(reports: ProcessReports, startedAt: Date): Connections {
  const open = new Map<WebSocket, { path: string; organizationId: number | null }>();
  const dropped = { tooSlow: 0, tooMuch: 0 };
  let streams = 0;
  let isReported = false;

  function stats(): ProcessStats {
    const paths: Record<string, number> = {};
    const organizations = new Map<number, number>();
    let queuedBytes = 0;
    for (const [socket, { path, organizationId }] of open) {
      paths[path] = (paths[path] ?? 0) + 1;
      if (organizationId !== null) organizations.set(organizationId, (organizations.get(organizationId) ?? 0) + 1);
      queuedBytes += socket.bufferedAmount;
    }
    const most = [...organizations].sort(([, a], [, b]) => b - a).slice(0, MAX_REPORTED);
    return {
      startedAt: startedAt.toISOString(),
      paths,
      subscriptions: streams,
      queuedBytes,
      dropped: { ...dropped },
      organizations: most.map(([organizationId, connections]) => ({ organizationId, connections })),
    };
  }

  return {
    add(socket, path) {
      open.set(socket, { path, organizationId: null });
      socket.once('close', () => {
        open.delete(socket);
        const code = endedWith(socket);
        if (code === CLOSE.tooSlow) dropped.tooSlow++;
        if (code === CLOSE.tooMuch) dropped.tooMuch++;
      });
      if (isReported) return;
      isReported = true;
      reports.begin(stats);
    },
    assign(socket, organizationId) {
      const found = open.get(socket);
      if (found) found.organizationId = organizationId;
    },
    addStream() {
      streams++;
      let ended = false;
      return () => {
        if (!ended) streams--;
        ended = true;
      };
    },
    stats,
  };
}
