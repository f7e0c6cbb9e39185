import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';

/** What can happen to the safety of an account, and what each means to its owner. */
export const SECURITY_EVENTS = {
  login_failed: 'A password, code or passkey was wrong.',
  account_locked: 'Too many wrong passwords: for a while, further ones are not compared.',
  account_unlocked: 'An administrator ended a lockout.',
  account_unlocked_by_link: 'The link of the mail about a lockout ended it.',
  new_device: 'A login from a device or network that the account did not use lately.',
  refresh_token_replayed: 'A used refresh token came back, so its session was ended.',
  password_changed: 'The password was changed.',
  password_reset: 'A new password was set with a mailed link.',
  email_changed: 'The e-mail address was changed.',
  two_factor_enabled: 'A second factor was added.',
  two_factor_disabled: 'The second factor was removed.',
  two_factor_reset_requested: 'An administrator asked to remove the second factor.',
  two_factor_reset_stopped: 'The owner stopped the removal of the second factor.',
  two_factor_reset: 'The second factor was removed on the request of an administrator.',
  backup_code_used: 'A backup code was used.',
  backup_codes_regenerated: 'New backup codes replaced the old ones.',
  passkey_added: 'A passkey was added.',
  passkey_removed: 'A passkey was removed.',
  passkey_counter_regressed: 'The counter of a passkey went back: it may have been copied.',
  identity_linked: 'A login at a provider was connected.',
  identity_unlinked: 'A login at a provider was disconnected.',
  role_changed: 'The role was changed, on the platform or in an organization.',
  sessions_ended: 'Other sessions were ended.',
} as const;

export type SecurityEventKind = keyof typeof SECURITY_EVENTS;

/** Caused by others, whose address and program are theirs to know. */
export const CAUSED_BY_OTHERS: readonly SecurityEventKind[] = [
  'account_unlocked',
  'two_factor_reset_requested',
  'two_factor_reset',
  'role_changed',
];

const kinds = Object.keys(SECURITY_EVENTS) as [SecurityEventKind, ...SecurityEventKind[]];

export const SecurityEvent = z
  .object({
    id: id('sev'),
    kind: z.enum(kinds).meta({
      description: Object.entries(SECURITY_EVENTS)
        .map(([kind, meaning]) => `\`${kind}\`: ${meaning}`)
        .join(' '),
      example: 'new_device',
    }),
    details: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .meta({ description: 'More about it, by name; ids are public ones.', example: { device: 'Firefox on Windows' } }),
    ip: z.string().nullable().meta({
      description: 'The address it came from; null for what an administrator did.',
      example: '203.0.113.9',
    }),
    userAgent: z.string().nullable().meta({ description: 'The `User-Agent` it came from.', example: 'curl/8.5.0' }),
    createdAt: Timestamp.meta({ description: 'When it happened.' }),
  })
  .meta({ id: 'SecurityEvent', description: 'Something that concerns the safety of an account.' });
export type SecurityEvent = z.output<typeof SecurityEvent>;

export const exampleSecurityEvent: SecurityEvent = {
  id: exampleId('sev'),
  kind: 'new_device',
  details: { device: 'Firefox on Windows' },
  ip: '203.0.113.9',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const ListActivity = pageInput({});
export type ListActivity = z.output<typeof ListActivity>;
export const SecurityEventPage = page('SecurityEventPage', SecurityEvent);
export type SecurityEventPage = z.output<typeof SecurityEventPage>;
