import { eventually, type Person } from '../../../test/app.ts';
import type { Fixture } from '../../../test/proofs/fixture.ts';
import { anyEmail, here, UNKNOWN_TOKEN, unscoped } from '../../../test/proofs/scenes.ts';
import type { SliceProofs } from '../../../test/proofs/slice-proofs.ts';

/** A user who has just registered, with the token of an invitation mailed to them. */
async function invited({ app, owner, organizationId }: Fixture): Promise<{ token: string; guest: Person; id: string }> {
  const guest = await app.signUp();
  const { body } = await owner.request(`/api/v1/organizations/${organizationId}/invitations`, {
    method: 'POST',
    body: { email: guest.email, role: 'VIEWER' },
  });
  const mail = await eventually(
    () => app.mails.find(({ to, text }) => to === guest.email && text.includes('/accept-invitation')),
    'the invitation',
  );
  return { token: /token=([\w-]+)/.exec(mail.text)![1]!, guest, id: body.id };
}

async function invite(fixture: Fixture, email: string, role = 'VIEWER'): Promise<string> {
  const path = `/api/v1/organizations/${fixture.organizationId}/invitations`;
  return (await fixture.owner.request(path, { method: 'POST', body: { email, role } })).body.id;
}

/** A user whose invitation is accepted. */
async function settled(fixture: Fixture): Promise<string> {
  const { token, guest, id } = await invited(fixture);
  await guest.request('/api/v1/invitations/accept', { method: 'POST', body: { token } });
  return id;
}

/** How the generated proofs call this slice's operations. */
export const proofs: SliceProofs = {
  ownedIds: {
    ivt: async (fixture) => {
      const email = anyEmail();
      const id = await invite(fixture, email);
      await fixture.app.mailTo(email); // the background work is done
      return id;
    },
  },
  scenarios: {
    'orgs.invitations.accept': async (fixture) => {
      const { token, guest } = await invited(fixture);
      return { caller: fixture.bearer(guest), input: { token } };
    },
    'orgs.invitations.decline': async (fixture) => ({ caller: {}, input: { token: (await invited(fixture)).token } }),
  },
  failures: {
    'orgs.invitations.create': {
      permission_not_held: async (fixture) => ({
        ...here(fixture, { email: anyEmail(), role: 'OWNER' }),
        caller: fixture.inOrganization('ADMIN'),
      }),
      already_member: async (fixture) => here(fixture, { email: fixture.members.MEMBER.email, role: 'VIEWER' }),
      invitation_pending: async (fixture) => {
        const invitee = anyEmail();
        await invite(fixture, invitee);
        return here(fixture, { email: invitee, role: 'VIEWER' });
      },
    },
    'orgs.invitations.revoke': {
      invitation_not_pending: async (fixture) => here(fixture, { invitationId: await settled(fixture) }),
    },
    'orgs.invitations.resend': {
      permission_not_held: async (fixture) => ({
        ...here(fixture, { invitationId: await invite(fixture, anyEmail(), 'OWNER') }),
        caller: fixture.inOrganization('ADMIN'),
      }),
      invitation_not_pending: async (fixture) => here(fixture, { invitationId: await settled(fixture) }),
      invitation_pending: async (fixture) => {
        const invitee = anyEmail();
        const expired = await invite(fixture, invitee);
        await fixture.app
          .rows('organization_invitations')
          .where({ id: fixture.app.ports.ids.decode('ivt', expired) })
          .update({ expiresAt: new Date() });
        await invite(fixture, invitee);
        return here(fixture, { invitationId: expired });
      },
    },
    'orgs.invitations.accept': {
      invalid_token: async ({ owner }) => ({ caller: unscoped(owner), input: { token: UNKNOWN_TOKEN } }),
      invitation_for_another: async (fixture) => {
        const { token } = await invited(fixture);
        return { caller: unscoped(fixture.owner), input: { token } };
      },
      invitation_no_longer_valid: async (fixture) => {
        const { app, owner } = fixture;
        const { token, guest } = await invited(fixture);
        await app
          .rows('organization_members')
          .where({ userId: app.ports.ids.decode('usr', owner.id), role: 'OWNER' })
          .where({ organizationId: app.ports.ids.decode('org', fixture.organizationId) })
          .update({ role: 'VIEWER' });
        return { caller: unscoped(guest), input: { token } };
      },
      already_member: async (fixture) => {
        const { app } = fixture;
        const { token, guest } = await invited(fixture);
        await app.rows('organization_members').insert({
          organizationId: app.ports.ids.decode('org', fixture.organizationId),
          userId: app.ports.ids.decode('usr', guest.id),
          role: 'VIEWER',
          createdAt: new Date(),
        });
        return { caller: unscoped(guest), input: { token } };
      },
    },
    'orgs.invitations.decline': { invalid_token: async () => ({ caller: {}, input: { token: UNKNOWN_TOKEN } }) },
  },
};
