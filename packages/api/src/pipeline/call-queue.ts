import type { UsageCall } from './usage-log.ts';

/** Calls that wait for the usage log, first in, first out. */
export interface CallQueue {
  readonly length: number;
  add(call: UsageCall): void;
  /** Removes the oldest calls, at most a batch. */
  take(): UsageCall[];
}

/**
 * Kept column by column. As objects they would outlive a collection or two, which costs more than all else that is done
 * for the usage log.
 */
export function createCallQueue(batch: number): CallQueue {
  const full: Columns[] = [];
  let last = new Columns(batch);
  let spare: Columns | undefined;

  return {
    get length() {
      return full.length * batch + last.length;
    },
    add(call) {
      last.add(call);
      if (last.length < batch) return;
      full.push(last);
      last = spare ?? new Columns(batch);
      spare = undefined;
    },
    take() {
      const columns = full.shift() ?? last;
      const calls = columns.takeAll();
      if (columns !== last) spare = columns;
      return calls;
    },
  };
}

const NUMBERS = 10;

class Columns {
  length = 0;
  /** Those of one call behind one another. */
  readonly #numbers: Float64Array;
  readonly #procedures: string[] = [];
  readonly #transports: UsageCall['transport'][] = [];
  readonly #environments: UsageCall['environment'][] = [];
  readonly #ips: (string | null)[] = [];
  readonly #userAgents: (string | null)[] = [];
  readonly #requestIds: string[] = [];

  constructor(capacity: number) {
    this.#numbers = new Float64Array(capacity * NUMBERS);
  }

  add(call: UsageCall): void {
    const numbers = this.#numbers;
    let at = this.length * NUMBERS;
    numbers[at++] = call.callId;
    numbers[at++] = call.occurredAt.getTime();
    numbers[at++] = call.organizationId;
    numbers[at++] = call.keyId ?? Number.NaN;
    numbers[at++] = call.userId ?? Number.NaN;
    numbers[at++] = call.status;
    numbers[at++] = call.latencyUs;
    numbers[at++] = call.bytesIn;
    numbers[at++] = call.bytesOut;
    numbers[at++] = call.cost;
    this.#procedures[this.length] = call.procedure;
    this.#transports[this.length] = call.transport;
    this.#environments[this.length] = call.environment;
    this.#ips[this.length] = call.ip;
    this.#userAgents[this.length] = call.userAgent;
    this.#requestIds[this.length] = call.requestId;
    this.length++;
  }

  takeAll(): UsageCall[] {
    const calls = Array.from({ length: this.length }, (_, at) => this.#read(at));
    this.length = 0;
    return calls;
  }

  #read(row: number): UsageCall {
    const numbers = this.#numbers;
    let at = row * NUMBERS;
    return {
      callId: numbers[at++]!,
      occurredAt: new Date(numbers[at++]!),
      organizationId: numbers[at++]!,
      keyId: orNull(numbers[at++]!),
      userId: orNull(numbers[at++]!),
      status: numbers[at++]!,
      latencyUs: numbers[at++]!,
      bytesIn: numbers[at++]!,
      bytesOut: numbers[at++]!,
      cost: numbers[at++]!,
      procedure: this.#procedures[row]!,
      transport: this.#transports[row]!,
      environment: this.#environments[row]!,
      ip: this.#ips[row]!,
      userAgent: this.#userAgents[row]!,
      requestId: this.#requestIds[row]!,
    };
  }
}

const orNull = (id: number): number | null => (Number.isNaN(id) ? null : id);
