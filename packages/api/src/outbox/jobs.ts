import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { EventType } from './event.ts';

/** What an event looks like to those who react to it. */
export interface RecordedEvent<Data = unknown> {
  id: number;
  organizationId: number | null;
  type: string;
  data: Data;
  createdAt: Date;
}

/** Work that an event causes, done after the commit and until it succeeds: it may run twice, so it must not matter. */
export interface Job<Data extends z.ZodType = z.ZodType> {
  name: string;
  on: EventType<Data>;
  run(ctx: Context, event: RecordedEvent<z.output<Data>>): Promise<void>;
}

export function job<Data extends z.ZodType>(definition: Job<Data>): Job {
  return definition as Job; // its data is parsed by its own event's schema before it runs
}

/** Every job of the product, found by what causes it. */
export interface JobRegistry {
  /** Names of the jobs that an event of this type causes. */
  on(eventType: string): string[];
  named(name: string): Job | undefined;
}

export function createJobRegistry(jobs: readonly Job[]): JobRegistry {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const byEvent = Map.groupBy(jobs, (job) => job.on.name);
  const names = new Map([...byEvent].map(([type, caused]) => [type, caused.map((job) => job.name)]));
  return { on: (type) => names.get(type) ?? [], named: (name) => byName.get(name) };
}
