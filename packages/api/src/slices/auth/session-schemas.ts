import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { page, pageInput } from '../../contract/pagination.ts';

const SessionUuid = z
  .uuid()
  .meta({ description: 'Id of a session.', example: '6b0d3b5e-0c55-4d0c-8a6f-3f1d2c4b5a69', maxLength: 36 });

export const Session = z
  .object({
    id: SessionUuid,
    device: z
      .object({
        name: z.string().meta({ description: 'For people.', example: 'Firefox on Windows' }),
        browser: z.string().nullable().meta({ description: 'The browser, if it is one.', example: 'Firefox' }),
        system: z.string().nullable().meta({ description: 'The operating system, if known.', example: 'Windows' }),
        type: z
          .string()
          .nullable()
          .meta({ description: 'Such as desktop, mobile, tablet or bot, if known.', example: 'desktop' }),
      })
      .meta({ description: 'What the `User-Agent` of the login says of itself.' }),
    ip: z.string().meta({ description: 'The address of the login.', example: '203.0.113.9' }),
    userAgent: z.string().nullable().meta({ description: 'The `User-Agent` of the login.', example: 'curl/8.5.0' }),
    isCurrent: z.boolean().meta({ description: 'Whether this call is made with it.' }),
    trustedUntil: Timestamp.nullable().meta({
      description: 'Until when its device need not show the second factor; ending the session ends that too.',
    }),
    createdAt: CreatedAt,
    lastSeenAt: Timestamp.meta({ description: 'When it was used last, to the minute.' }),
    expiresAt: Timestamp.meta({ description: 'When it ends unless it is renewed.' }),
  })
  .meta({ id: 'Session', description: 'A login on one device.' });
export type Session = z.output<typeof Session>;

export const exampleSession: Session = {
  id: '6b0d3b5e-0c55-4d0c-8a6f-3f1d2c4b5a69',
  device: { name: 'Firefox on Windows', browser: 'Firefox', system: 'Windows', type: 'desktop' },
  ip: '203.0.113.9',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  isCurrent: true,
  trustedUntil: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  lastSeenAt: '2026-01-31T12:34:00.000Z',
  expiresAt: '2026-02-07T12:00:00.000Z',
};

export const ListSessions = pageInput({});
export type ListSessions = z.output<typeof ListSessions>;
export const SessionPage = page('SessionPage', Session);
export type SessionPage = z.output<typeof SessionPage>;

export const RevokeSession = z
  .strictObject({ sessionId: SessionUuid })
  .meta({ id: 'RevokeSession', description: 'Which session ends.' });
export type RevokeSession = z.output<typeof RevokeSession>;

export const RevokeAllSessions = z
  .strictObject({
    keepCurrent: z.boolean().default(false).meta({ description: 'Whether the session of this call goes on.' }),
  })
  .prefault({})
  .meta({ id: 'RevokeAllSessions', description: 'Which sessions end.' });
export type RevokeAllSessions = z.output<typeof RevokeAllSessions>;
