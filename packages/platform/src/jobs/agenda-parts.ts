import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresBackend } from '@agendajs/postgres-backend';
import { BaseNotificationChannel, type JobId } from 'agenda';
import type pg from 'pg';
import { backoffMs } from '../backoff.ts';
import type { Logger } from '../logger.ts';

const RETRY = { firstMs: 200, maxMs: 2000 };

/**
 * Agenda reports a first connection that fails as an unhandled rejection, which ends the process. This one tries again.
 */
export class ReconnectingBackend extends PostgresBackend {
  private readonly log: Logger;
  private stopped = false;

  constructor(pool: pg.Pool, log: Logger) {
    // A migration creates the table: processes that create it at the same time crash each other.
    super({ pool, ensureSchema: false, disableNotifications: true });
    this.log = log;
  }

  stopRetrying(): void {
    this.stopped = true;
  }

  override async connect(): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        return await super.connect();
      } catch (error) {
        if (this.stopped) return;
        this.log.warn({ err: error }, 'jobs: no database yet');
        await sleep(backoffMs(failures, RETRY));
      }
    }
  }
}

/**
 * How Agenda learns of new work. Its own channel sends three NOTIFYs for each run and none for jobs that are enqueued
 * in a transaction. This one passes on the notifications of this process.
 */
export class WakeChannel extends BaseNotificationChannel {
  async connect(): Promise<void> {
    this.setState('connected');
  }

  async disconnect(): Promise<void> {
    this.handlers.clear();
    this.setState('disconnected');
  }

  async publish(): Promise<void> {}

  wake(names: readonly string[]): void {
    for (const jobName of names) {
      void this.notifyHandlers({ jobId: '' as JobId, jobName, nextRunAt: null, priority: 0, timestamp: new Date() });
    }
  }
}
