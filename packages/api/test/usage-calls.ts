import type { UsageCall, UsageSink } from '@rentapi/api/pipeline/usage-log';

/** A call with a key, at a given time. */
export function usageCall(fields: Partial<UsageCall> = {}): UsageCall {
  return {
    callId: Math.floor(Math.random() * 2 ** 52),
    occurredAt: new Date(),
    organizationId: 1,
    keyId: 7,
    userId: null,
    procedure: 'apiKeys.list',
    transport: 'rest',
    environment: 'live',
    status: 200,
    latencyUs: 1500,
    bytesIn: 0,
    bytesOut: 512,
    ip: '192.0.2.1',
    userAgent: 'curl/8.5.0',
    cost: 0,
    requestId: 'r-1',
    ...fields,
  };
}

/** A store in memory, under the same contract as the others. */
export function createMemorySink(): UsageSink & { calls: UsageCall[] } {
  const calls: UsageCall[] = [];
  const batches = new Set<number>();
  return {
    calls,
    async write(batch) {
      const first = batch[0]!.callId;
      if (batches.has(first)) return;
      batches.add(first);
      calls.push(...batch);
    },
  };
}
