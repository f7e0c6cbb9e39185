import type { JobDefinition } from './perform.ts';

interface Slot {
  queue: string;
  takenAt: number;
  isRunning: boolean;
}

/**
 * How many jobs of each queue a worker runs at once. A slot is taken before a job is locked: a job that is locked but
 * must wait would keep other workers from it.
 */
export class QueueSlots {
  private readonly limits: Readonly<Record<string, number>>;
  private readonly leaseMs: number;
  private readonly queues: ReadonlyMap<string, string>;
  private readonly slots = new Map<string, Slot>();
  /** How many are taken for a job that is being locked. */
  private readonly locking = new Map<string, number>();
  /** Names of jobs that found no slot, first those that have waited the longest. */
  private readonly waiting = new Set<string>();

  constructor(definitions: readonly JobDefinition[], limits: Readonly<Record<string, number>>, leaseMs: number) {
    this.queues = new Map(definitions.map(({ name, queue }) => [name, queue]));
    this.limits = limits;
    this.leaseMs = leaseMs;
  }

  /** Runs `lock` if the job's queue has a free slot, and keeps the slot for the job that it returns. */
  async take<J extends { _id?: unknown }>(name: string, lock: () => Promise<J | undefined>): Promise<J | undefined> {
    const queue = this.queues.get(name) ?? name;
    this.waiting.delete(name);
    if (this.taken(queue) >= (this.limits[queue] ?? Number.POSITIVE_INFINITY)) {
      this.waiting.add(name);
      return undefined;
    }
    this.locking.set(queue, (this.locking.get(queue) ?? 0) + 1);
    try {
      const job = await lock();
      if (job) this.slots.set(String(job._id), { queue, takenAt: performance.now(), isRunning: false });
      return job;
    } finally {
      this.locking.set(queue, this.locking.get(queue)! - 1);
    }
  }

  start(id: string): void {
    const slot = this.slots.get(id);
    if (slot) slot.isRunning = true;
  }

  free(id: string): void {
    this.slots.delete(id);
  }

  /** The names that may go on when a job of this name has ended: its own comes last, so that no name keeps a queue. */
  next(name: string): string[] {
    const queue = this.queues.get(name);
    const names = [...this.waiting].filter((each) => each !== name && this.queues.get(each) === queue);
    return [...names, name];
  }

  /** Agenda drops a job whose lock is over before it starts, without a word. */
  private taken(queue: string): number {
    let taken = this.locking.get(queue) ?? 0;
    const expired = performance.now() - this.leaseMs;
    for (const [id, slot] of this.slots) {
      if (!slot.isRunning && slot.takenAt < expired) this.slots.delete(id);
      else if (slot.queue === queue) taken++;
    }
    return taken;
  }
}
