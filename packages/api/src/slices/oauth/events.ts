import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';

const Linked = z.object({ userId: z.string(), email: z.string(), provider: z.string(), providerName: z.string() });
const ofIdentity = {
  data: Linked,
  audience: 'person',
  example: { userId: exampleId('usr'), email: 'ada@example.com', provider: 'google', providerName: 'Google' },
} as const;

export const IdentityLinked = event('user.identity_linked', {
  ...ofIdentity,
  description: 'A login at a provider was linked to an account.',
});
export const IdentityUnlinked = event('user.identity_unlinked', {
  ...ofIdentity,
  description: 'A login at a provider was unlinked from an account.',
});
export const OAuthCodeReplayed = event('session.oauth_code_replayed', {
  data: z.object({ sessionId: z.string(), ip: z.string(), userAgent: z.string().nullable() }),
  audience: 'person',
  description: 'The code of a login at a provider came back: it was copied, so the session it opened ends.',
  example: { sessionId: '6b0d3b5e-0c55-4d0c-8a6f-3f1d2c4b5a69', ip: '203.0.113.9', userAgent: 'curl/8.5.0' },
});
