import { ACCURACY } from '@rentapi/platform/latency-sketch';
import type { TestApp } from './app.ts';

/** A call as tests invent it. */
export interface InventedCall {
  at: string;
  keyId?: number;
  procedure?: string;
  status?: number;
  environment?: 'live' | 'test' | null;
  latencyUs?: number;
  /** How many of them. */
  count?: number;
}

const SLOT_MS = 900_000;
const growth = Math.log((1 + ACCURACY) / (1 - ACCURACY));

/** Writes calls as the roll-up job counts them. */
export async function addRollups(app: TestApp, organizationId: number, calls: readonly InventedCall[]): Promise<void> {
  const rows = calls.map((given) => {
    const { at, keyId = 0, procedure = 'apiKeys.list', status = 200, environment = 'live' } = given;
    const { latencyUs = 1000, count = 1 } = given;
    return {
      organizationId,
      slot: new Date(Math.floor(Date.parse(at) / SLOT_MS) * SLOT_MS),
      keyId,
      procedure,
      status,
      environment: environment ?? 'none',
      calls: count,
      errors: status >= 400 ? count : 0,
      bytesIn: 10 * count,
      bytesOut: 100 * count,
      cost: count,
      latencyBins: [Math.max(0, Math.ceil(Math.log(latencyUs) / growth))],
      latencyCounts: [count],
    };
  });
  await app.rows('usage_rollups').insert(rows);
}
