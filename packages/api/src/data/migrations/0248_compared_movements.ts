import type { Knex } from '@rentapi/platform/database';

/** Findings with both sides, and since when movements are kept, so that those of before are not missed. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table billing_findings
      add ours text,
      add state text not null default 'OPEN' check (state in ('OPEN', 'RESOLVED'));
    create index billing_findings_state on billing_findings (state, id);

    alter table provider_lists add started_at timestamptz;
    update provider_lists set started_at = since;
    alter table provider_lists alter started_at set not null;

    alter table provider_movements add kept_at timestamptz;
    update provider_movements set kept_at = at;
    alter table provider_movements alter kept_at set not null;
    create index provider_movements_kept on provider_movements (provider, kept_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table provider_movements drop kept_at;
    alter table provider_lists drop started_at;
    alter table billing_findings drop ours, drop state;
  `);
}
