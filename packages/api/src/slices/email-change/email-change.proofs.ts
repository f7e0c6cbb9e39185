import { eventually, type Person, type TestApp } from '../../../test/app.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { anyEmail, UNKNOWN_TOKEN, unscoped } from '../../../test/proofs/scenes.ts';
import type { Failing, SliceProofs } from '../../../test/proofs/slice-proofs.ts';

async function linkIn(app: TestApp, to: string, page: string): Promise<string> {
  const mail = await eventually(() => app.mails.findLast((mail) => mail.to === to && mail.text.includes(page)), page);
  return /token=([\w-]+)/.exec(mail.text)![1]!;
}

/** The token in the mail to the new address. */
async function confirmToken({ app }: Fixture, person: Person, email: string): Promise<string> {
  await person.request('/api/v1/users/me/email', { method: 'POST', body: { email } });
  return linkIn(app, email, '/confirm-email-change');
}

/** The token in the mail to the old address, after a change. */
async function undoToken(fixture: Fixture, person: Person): Promise<string> {
  await verified(fixture, person.email);
  const token = await confirmToken(fixture, person, anyEmail());
  await fixture.app.request('/api/v1/auth/email-change/confirm', { method: 'POST', body: { token } });
  return linkIn(fixture.app, person.email, '/undo-email-change');
}

const verified = ({ app }: Fixture, email: string) =>
  app.rows('users').where({ email }).update({ emailVerifiedAt: new Date() });
const invalid: Failing = async () => ({ caller: {}, input: { token: UNKNOWN_TOKEN } });

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  scenarios: {
    'users.me.changeEmail': async ({ owner }) => ({ caller: unscoped(owner), input: { email: anyEmail() } }),
    'auth.emailChange.confirm': async (fixture) => ({
      caller: {},
      input: { token: await confirmToken(fixture, fixture.owner, anyEmail()) },
    }),
    'auth.emailChange.undo': async (fixture) => ({
      caller: {},
      input: { token: await undoToken(fixture, fixture.owner) },
    }),
  },
  failures: {
    'auth.emailChange.confirm': {
      invalid_token: invalid,
      email_taken: async (fixture) => {
        const email = anyEmail();
        const token = await confirmToken(fixture, await fixture.app.signUp(), email);
        await fixture.app.signUp({ email });
        return { caller: {}, input: { token } };
      },
    },
    'auth.emailChange.undo': {
      invalid_token: invalid,
      email_taken: async (fixture) => {
        const person = await fixture.app.signUp();
        const token = await undoToken(fixture, person);
        const { email } = await fixture.app.signUp({ email: person.email });
        await verified(fixture, email);
        return { caller: {}, input: { token } };
      },
    },
  },
};
