import type { Knex } from '@rentapi/platform/database';

/**
 * An index for each filter of a list and for each foreign key, which Postgres looks up when the referenced row is
 * deleted.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index audit_logs_time on audit_logs (organization_id, created_at, position);
    create index audit_logs_event on audit_logs (event_id);
    create index api_keys_creator on api_keys (created_by);
    create index organization_invitations_status on organization_invitations (organization_id, status, id);
    create index organization_invitations_inviter on organization_invitations (inviter_user_id);
    create index organization_invitations_inviter_key on organization_invitations (organization_id, inviter_key_id);
    create index realtime_tickets_session on realtime_tickets (session_id);
    create index realtime_tickets_key on realtime_tickets (organization_id, api_key_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index audit_logs_time, audit_logs_event, api_keys_creator, organization_invitations_status,
      organization_invitations_inviter, organization_invitations_inviter_key, realtime_tickets_session, realtime_tickets_key;
  `);
}
