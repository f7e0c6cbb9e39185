import { randomUUID } from 'node:crypto';
import { eventually, type Person } from '../app.ts';
import { ownedIds } from './belongings.ts';
import { type Caller, type Fixture, idsIn, type Procedure, replaceAt } from './world.ts';

export interface Scenario {
  caller: Caller;
  input: unknown;
}

/** How to make a procedure succeed where its example alone, with real ids in it, cannot. */
const special: Record<string, (world: Fixture) => Promise<Scenario>> = {
  'auth.register': async () => ({
    caller: {},
    input: { email: `${randomUUID()}@example.com`, password: 'a password of its own' },
  }),
  'auth.login': async ({ owner }) => ({ caller: {}, input: { email: owner.email, password: owner.password } }),
  'auth.refresh': async ({ owner }) => ({ caller: {}, input: { refreshToken: owner.tokens.refreshToken } }),
  'auth.email.verify': async ({ app, owner }) => ({
    caller: {},
    input: { token: /token=([\w-]+)/.exec((await app.mailTo(owner.email)).text)![1] },
  }),
  'auth.email.resendVerification': async ({ owner }) => ({ caller: {}, input: { email: owner.email } }),
  'auth.reauthenticate': async ({ owner, bearer }) => ({ caller: bearer(owner), input: { password: owner.password } }),
  'orgs.invitations.accept': async (world) => {
    const { token, guest } = await invited(world);
    return { caller: world.bearer(guest), input: { token } };
  },
  'orgs.invitations.decline': async (world) => ({ caller: {}, input: { token: (await invited(world)).token } }),
  'orgs.create': async (world) => ({ caller: world.inOrganization('OWNER'), input: { name: 'Acme Inc.' } }),
  'orgs.leave': async (world) => ({
    caller: world.inOrganization('MEMBER'),
    input: { orgId: world.organizationId },
  }),
  'orgs.restore': async ({ owner, organizationId, bearer }) => {
    await owner.request(`/api/v1/organizations/${organizationId}`, { method: 'DELETE' });
    return { caller: bearer(owner), input: { orgId: organizationId } };
  },
};

/** Somebody who has just registered, with the token of an invitation that was mailed to them. */
export async function invited({
  app,
  owner,
  organizationId,
}: Fixture): Promise<{ token: string; guest: Person; id: string }> {
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

/** A call that succeeds: the example's, by an owner who holds everything, on rows that exist. */
export async function scenario(world: Fixture, { name, meta }: Procedure): Promise<Scenario> {
  const made = special[name];
  if (made) return made(world);
  const ours = await ownedIds(world);
  const input = idsIn(meta.example.input).reduce<unknown>(
    (value, { path, prefix }) => replaceAt(value, path, ours[prefix]),
    meta.example.input,
  );
  return { caller: world.inOrganization('OWNER'), input };
}
