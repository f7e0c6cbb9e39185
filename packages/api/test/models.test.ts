import { checkModels } from '@rentapi/api/data/check-models';
import { UNIQUE_CONSTRAINTS } from '@rentapi/api/slices/errors';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

it('gives every column a field and every field a column, nullable alike', async () => {
  expect(await checkModels(app.rows)).toEqual([]);
});

it('notices a column without a field, and one that became nullable', async () => {
  await app.rows.raw('alter table users add column nickname text; alter table users alter column email drop not null');
  expect(await checkModels(app.rows)).toEqual([
    'UserModel.email: the column is nullable, the field is not.',
    'UserModel has no field for the column nickname of users.',
  ]);
});

/** Unique indexes whose violation is no fault of a caller, with the reason. */
const NEVER_REFUSED: Record<string, string> = {
  agenda_jobs_number: 'given by the database',
  agenda_jobs_single_job_idx: 'written by the scheduler alone, on conflict do nothing',
  agenda_jobs_unique_key_key: 'written by the dispatcher alone, on conflict do nothing',
  api_key_old_secrets_secret_hash_unique: 'a random secret',
  api_keys_secret_hash_unique: 'a random secret',
  audit_logs_position_key: 'given by the one sequencer',
  credit_grants_source_unique: 'written by a function of the database, on conflict do nothing',
  credit_prices_live: 'prices are written by the operator',
  credit_purchases_request_unique: 'looked for first, under the lock of the organization',
  credit_ledger_once: 'the function that writes it looks for the key first, under the lock of the balance',
  email_changes_confirm_token_hash_key: 'a random token',
  email_changes_undo_token_hash_key: 'a random token',
  events_position_key: 'given by the one sequencer',
  billing_accounts_organization_unique: 'added on conflict do nothing',
  billing_faults_unique: 'noted on conflict do update',
  billing_findings_unique: 'noted on conflict do update',
  held_events_digest_unique: 'held on conflict do nothing',
  provider_events_external_unique: 'stored on conflict do nothing',
  backup_codes_code_hash_key: 'a random code',
  journal_entries_source_unique: 'posted by a function of the database, on conflict do nothing',
  invoice_lines_place_unique: 'added under the lock of the invoice',
  invoices_correction_unique: 'looked for first, under the lock of the invoice that is corrected',
  invoices_number_unique: 'taken from a row that is locked until the commit',
  invoices_period_unique: 'drafted on conflict do nothing',
  limit_overrides_present: 'replaced under the lock of the organization',
  oauth_codes_code_hash_key: 'a random code',
  organization_invitations_token_unique: 'a random token',
  disputes_external_unique: 'looked for first, under the lock of the payment',
  payment_customers_external_unique: 'given by the provider to one customer',
  payment_customers_provider_unique: 'begun on conflict do nothing',
  payment_methods_default: 'the earlier one ends first, under the lock of the organization',
  payment_methods_external_unique: 'looked for first, under the lock of the organization',
  payment_methods_setup_unique: 'given by the provider to one setup',
  payments_external_unique: 'given by the provider to a charge of ours',
  payments_open: 'the open one ends first, under the lock of the organization',
  refunds_external_unique: 'looked for first, under the lock of the payment',
  passkey_challenges_token_hash_key: 'a random token',
  refresh_tokens_token_hash_key: 'a random token',
  plans_code_unique: 'written by operators alone',
  plans_rank_unique: 'written by operators alone',
  prices_live_unique: 'written by operators alone',
  role_assignments_unique: 'the assigned roles are replaced under the lock of the member',
  sessions_public_id_key: 'a random id',
  sign_in_challenges_token_hash_key: 'a random token',
  subscriptions_live_unique: 'begun under the lock of the organization, after a look for a live one',
  usage_periods_open: 'begun on conflict do nothing',
  used_trials_fingerprint_unique: 'claimed on conflict do nothing',
  totp_factors_user_unique: 'written on conflict, under the lock of the user',
  trusted_devices_token_hash_key: 'a random token',
  user_deletions_user_unique: 'written once, under the lock of the user',
  two_factor_resets_token_unique: 'a random token',
  two_factor_resets_user_unique: 'asked for under the lock of the user',
  users_email_key_unique: 'registration answers alike for a known address',
  verification_tokens_token_hash_key: 'a random token',
  webhooks_id_unique: 'given by the database',
};

it('names for every unique index the error for a second row, or why there is none', async () => {
  const { rows } = await app.rows.raw<{ rows: { name: string }[] }>(
    `select index.relname as name from pg_index join pg_class index on index.oid = indexrelid
     where indisunique and not indisprimary and index.relnamespace = 'public'::regnamespace and index.relname not like 'knex%'`,
  );
  const expected = [...Object.keys(UNIQUE_CONSTRAINTS), ...Object.keys(NEVER_REFUSED)];
  expect(rows.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
});
