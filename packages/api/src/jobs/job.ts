import type { Mail } from '@rentapi/platform/mail';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { EventType } from '../events/event.ts';

/** Groups of jobs, so that a worker can serve only some of them: `rentapi worker --queues=webhooks,emails`. */
export const QUEUES = ['webhooks', 'emails', 'analytics', 'subscriptions', 'maintenance'] as const;
export type Queue = (typeof QUEUES)[number];

/** An event as jobs receive it. */
export interface RecordedEvent<Data = unknown> {
  id: number;
  organizationId: number | null;
  type: string;
  data: Data;
  createdAt: Date;
}

/** The moment at which a scheduled job was due. */
export interface Tick {
  at: Date;
}

/** How a run reports to its worker, and how the worker stops it. */
export interface RunControl {
  /** Reports progress, from 0 to 1 where that is known: `timeoutMs` starts again. */
  touch(progress?: number): void;
  /** Aborted when the worker gives the run up. */
  signal: AbortSignal;
}

/** Rows that are deleted when `keptMs` have passed since the time in `column`. docs/security.md states each. */
export interface PurgedRows {
  table: string;
  column: string;
  keptMs: number;
}

interface JobOptions {
  name: string;
  queue: Queue;
  /** How many run at once in one process. Default: 10. */
  concurrency?: number;
  /** After this many starts, including those of killed workers, the job is dead. Default: 20. */
  attempts?: number;
  /** The longest time without `touch()`. Default: a minute. */
  timeoutMs?: number;
  /** The pause after the nth failure. Default: doubling from a second to at most an hour, with jitter. */
  backoffMs?: (failures: number) => number;
}

/** Work that an event causes. */
interface EventJob<Data extends z.ZodType> extends JobOptions {
  on: EventType<Data>;
  run(ctx: Context, event: RecordedEvent<z.output<Data>>, work: RunControl): Promise<void>;
}

/** Recurring work: `5 minutes`, or a cron expression in UTC. Ticks missed while no worker ran count as one. */
interface ScheduledJob extends JobOptions {
  every: string;
  purges?: readonly PurgedRows[];
  run(ctx: Context, tick: Tick, work: RunControl): Promise<void>;
}

/** Work requested with `enqueue()`. The data are ids, not rows, because rows may change before the job runs. */
interface EnqueuedJob<Data extends z.ZodType> extends JobOptions {
  data: Data;
  run(ctx: Context, data: z.output<Data>, work: RunControl): Promise<void>;
}

/** A job of any kind. Its input is parsed by its own schema before it runs. */
export interface Job extends JobOptions {
  on?: EventType;
  every?: string;
  purges?: readonly PurgedRows[];
  data?: z.ZodType;
  run(ctx: Context, input: unknown, work: RunControl): Promise<void>;
  /** Of a job that mails: the mail that it would send, which may write rows as the job does. */
  preview?(ctx: Context, event: RecordedEvent): Promise<Mail | null>;
}

/** A job for which `enqueue()` takes exactly its data. */
export interface DataJob<Data extends z.ZodType = z.ZodType> extends Job {
  data: Data;
}

/** Work done after the commit, until it succeeds or is dead. It may run twice, so it must be idempotent. */
export function job<Data extends z.ZodType>(definition: EventJob<Data>): Job;
export function job(definition: ScheduledJob): Job;
export function job<Data extends z.ZodType>(definition: EnqueuedJob<Data>): DataJob<Data>;
export function job(definition: EventJob<z.ZodType> | ScheduledJob | EnqueuedJob<z.ZodType>): Job {
  return definition as Job; // the overloads above join each input to its schema
}

/** Every job of the product, by what causes it. */
export interface JobRegistry {
  /** Names of the jobs that an event of this type causes. */
  on(eventType: string): string[];
  named(name: string): Job | undefined;
  all: readonly Job[];
}

export function createJobRegistry(jobs: readonly Job[]): JobRegistry {
  const names = new Map<string, string[]>();
  for (const { on, name } of jobs) if (on) names.set(on.name, [...(names.get(on.name) ?? []), name]);
  const byName = new Map(jobs.map((job) => [job.name, job]));
  return { on: (type) => names.get(type) ?? [], named: (name) => byName.get(name), all: jobs };
}
