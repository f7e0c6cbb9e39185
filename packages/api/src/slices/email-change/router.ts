import { NoContent } from '../../contract/common-schemas.ts';
import type { ProcedureLimit } from '../../contract/meta.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { ChangeEmail, EmailChangeToken } from './schemas.ts';
import { confirmEmailChange, requestEmailChange } from './service/change.ts';
import { undoEmailChange } from './service/undo.ts';

const users: [Tag] = ['Users'];
const tags: [Tag] = ['Authentication'];
const example = { input: { token: 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg' } };

/** Limits guessing by source, and requests by account. */
const limit = (by: 'source' | 'caller'): ProcedureLimit => ({
  name: 'email-change',
  by,
  size: (env) => env.AUTH_RATE_LIMIT_PER_MINUTE,
  windowS: 60,
});

/** Part of `users.me`. */
export const changeEmail = procedure({
  access: 'user',
  fresh: true,
  openapi: {
    method: 'POST',
    path: '/users/me/email',
    tags: users,
    summary: 'Change your e-mail address',
    description:
      'Mails a link to the new address, for 24 hours; it takes effect when that is opened. The answer is the same for an address that has an account. Then the old address is mailed a link that takes the change back, for 7 days.',
  },
  rest: { status: 202 },
  limit: limit('caller'),
  example: { input: { email: 'ada@new.example' } },
})
  .input(ChangeEmail)
  .output(NoContent)
  .mutation(({ ctx, input }) => requestEmailChange(ctx, input));

/** Part of `auth`. */
export const emailChange = router({
  confirm: procedure({
    access: 'proof:mailed',
    openapi: {
      method: 'POST',
      path: '/auth/email-change/confirm',
      tags,
      summary: 'Confirm a new e-mail address with the mailed token',
      description:
        'The token works once, within 24 hours. Links that were mailed to the old address end; sessions go on.',
    },
    rest: { status: 204 },
    errors: ['invalid_token', 'email_taken'],
    limit: limit('source'),
    idempotency: false,
    example,
  })
    .input(EmailChangeToken)
    .output(NoContent)
    .mutation(({ ctx, input }) => confirmEmailChange(ctx, input.token)),

  undo: procedure({
    access: 'proof:mailed',
    openapi: {
      method: 'POST',
      path: '/auth/email-change/undo',
      tags,
      summary: 'Take back a change of the e-mail address',
      description:
        'With the token that was mailed to the old address, once, within 7 days. The account has the old address again, and every session ends.',
    },
    rest: { status: 204 },
    errors: ['invalid_token', 'email_taken'],
    limit: limit('source'),
    idempotency: false,
    example,
  })
    .input(EmailChangeToken)
    .output(NoContent)
    .mutation(({ ctx, input }) => undoEmailChange(ctx, input.token)),
});
