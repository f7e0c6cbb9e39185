import { execute, type Statement } from '@rentapi/platform/database';
import { type Ports, systemContext } from '../context.ts';
import type { RecordedEvent } from './jobs.ts';
import { type Loop, startLoop } from './loop.ts';

const BATCH = 50;
/** A claimed row is free again after this long: its worker has died. */
const LEASE_S = 30;
const MAX_ATTEMPTS = 20;
const MAX_BACKOFF_S = 3600;

interface Claimed extends RecordedEvent {
  outboxId: number;
  job: string;
  attempts: number;
}

const CLAIM: Statement = {
  name: 'outbox_claim',
  text: `
  with due as (
    select id from outbox where available_at <= now() and failed_at is null
    order by available_at limit ${BATCH} for update skip locked
  ), claimed as (
    update outbox set attempts = attempts + 1, available_at = now() + interval '${LEASE_S} seconds'
    from due where outbox.id = due.id
    returning outbox.id, outbox.job, outbox.attempts, outbox.event_id
  )
  select claimed.id as "outboxId", claimed.job, claimed.attempts,
         e.id, e.organization_id as "organizationId", e.type, e.data, e.created_at as "createdAt"
  from claimed join events e on e.id = claimed.event_id order by claimed.id`,
};

/** Does the work that events caused: any number of processes at once, each row until it succeeds or has failed 20 times. */
export function startDispatcher(ports: Ports): Loop {
  const { database, log } = ports;

  async function perform(row: Claimed): Promise<void> {
    const { outboxId, job: name, attempts, ...event } = row;
    try {
      const job = ports.jobs.named(name);
      if (!job) throw new Error(`no job is named ${name}`);
      await job.run(systemContext(ports, `job-${outboxId}`), { ...event, data: job.on.data.parse(event.data) });
      await database('outbox').where({ id: outboxId }).delete();
    } catch (error) {
      const backoffS = Math.min(2 ** attempts, MAX_BACKOFF_S) * (0.5 + Math.random() / 2);
      const dead = attempts >= MAX_ATTEMPTS;
      log.error({ err: error, job: name, event: event.id, attempts, dead }, 'job failed');
      await database('outbox')
        .where({ id: outboxId })
        .update({
          availableAt: new Date(Date.now() + backoffS * 1000),
          failedAt: dead ? new Date() : null,
          lastError: String(error).slice(0, 1000),
        });
    }
  }

  return startLoop({
    name: 'dispatcher',
    everyMs: 1000,
    log,
    async round() {
      const rows = await execute<Claimed>(database, CLAIM, []);
      await Promise.all(rows.map(perform));
      return rows.length === BATCH;
    },
  });
}
