import type { Fixture } from '../../../test/proofs/fixture.ts';
import { unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

interface Dead {
  name?: string;
  uniqueKey?: string;
}

/** A job that has failed; its public id. */
async function fail({ app }: Fixture, { name = 'jobs.purge_ended', uniqueKey }: Dead = {}): Promise<string> {
  const { rows } = await app.rows.raw(
    `insert into dead_jobs (id, name, unique_key, data, starts, reason, created_at)
     values (nextval(pg_get_serial_sequence('agenda_jobs', 'number')), ?, ?, ?, 20, 'Error: no', now()) returning id`,
    [name, uniqueKey ?? null, { tick: new Date().toISOString() }],
  );
  return app.ports.ids.encode('job', rows[0].id);
}

/** A job that waits for tomorrow; its public id. */
async function wait({ app }: Fixture, uniqueKey: string): Promise<string> {
  const { rows } = await app.rows.raw(
    `insert into agenda_jobs (name, unique_key, data, next_run_at)
     values ('jobs.purge_ended', ?, ?, now() + interval '1 day') returning number`,
    [uniqueKey, { tick: new Date().toISOString() }],
  );
  return app.ports.ids.encode('job', rows[0].number);
}

const byStaff =
  (input: (fixture: Fixture) => Promise<object | undefined>): Failing =>
  async (fixture) => ({ caller: unscoped(await fixture.staff('ADMIN')), input: await input(fixture) });

const missing = byStaff(async ({ app }) => ({ jobId: app.ports.ids.encode('job', 2 ** 40) }));
let keys = 0;

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: { job: (fixture) => fail(fixture) },
  scenarios: {
    'admin.queues': byStaff(async () => undefined),
    // Jobs of its own: others change while they are compared.
    'admin.jobs.list': byStaff(async (fixture) => {
      const name = `proven ${++keys}`;
      await fail(fixture, { name });
      return { name };
    }),
    'admin.jobs.get': byStaff(async (fixture) => ({ jobId: await fail(fixture) })),
    'admin.jobs.retry': byStaff(async (fixture) => ({ jobId: await fail(fixture) })),
  },
  failures: {
    'admin.jobs.list': { invalid_cursor: byStaff(async () => ({ cursor: 'made-up' })) },
    'admin.jobs.get': { not_found: missing },
    'admin.jobs.retry': {
      not_found: missing,
      job_not_failed: byStaff(async (fixture) => ({ jobId: await wait(fixture, `proof ${++keys}`) })),
      job_superseded: byStaff(async (fixture) => {
        const uniqueKey = `proof ${++keys}`;
        await wait(fixture, uniqueKey);
        return { jobId: await fail(fixture, { uniqueKey }) };
      }),
      job_unknown: byStaff(async (fixture) => ({ jobId: await fail(fixture, { name: 'jobs.of_old' }) })),
    },
  },
};
