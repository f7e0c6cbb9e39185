/** The groups of operations in the document, in its order. Every operation belongs to one. */
export const TAGS = {
  Authentication: 'Accounts and sessions: register, confirm the address, log in, stay signed in.',
  Users: 'The person who calls.',
  'Roles & permissions': 'What may be done in an organization, and custom roles that allow it.',
  'API keys': 'Credentials for programs: made, limited, and revoked.',
  Organizations: 'Tenants: everything belongs to one, and nothing is seen from another.',
  Invitations: 'How others become members.',
  Realtime: 'What happens, as it happens.',
  Health: 'For probes: whether the process lives and can serve.',
} as const;

export type Tag = keyof typeof TAGS;
