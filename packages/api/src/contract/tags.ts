/** The groups of operations in the document, in its order. Every operation belongs to one. */
export const TAGS = {
  Authentication: 'Accounts and sessions: register, confirm the address, log in, stay signed in.',
  'Social login': 'Log in with Google, GitHub or another provider, and link one to your account.',
  Users: 'People with an account: yourself, those who share an organization, and, for platform staff, everyone.',
  'Roles & permissions': 'Permissions in an organization, and custom roles that grant them.',
  'API keys': 'Credentials for programs: create, limit and revoke them.',
  Organizations: 'Tenants: all data belongs to one, and other tenants cannot see it.',
  Invitations: 'Invite others to become members.',
  Metering: 'Count what your own customers use: define meters, send events, read the values.',
  Webhooks: 'Addresses of yours that are called when something happens.',
  Billing: 'What an organization pays for, and what it may use for that.',
  Analytics: 'How much an organization calls, how often that fails, and how long it takes.',
  Realtime: 'Events as they happen.',
  Chat: 'What members of an organization write to each other.',
  Administration: 'For those who run the platform.',
  Health: 'Health checks: whether the process is alive and can serve.',
} as const;

export type Tag = keyof typeof TAGS;
