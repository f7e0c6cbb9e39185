import { systemContext } from '@rentapi/api/context';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';

let app: TestApp;
let acme: TestOrganization;
let guest: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  acme = await makeOrganization(app);
  guest = await app.signUp();
});
afterAll(() => app.close());

const invite = (by: Person, email: string, role = 'MEMBER') =>
  by.request(`${acme.path}/invitations`, { method: 'POST', body: { email, role } });
const settle = (who: Person, how: 'accept' | 'decline', token: string) =>
  who.request(`/api/v1/invitations/${how}`, { method: 'POST', body: { token } });

const invitationsTo = (email: string) =>
  app.mails.filter(({ to, text }) => to === email && text.includes('/accept-invitation'));
async function tokenOf(email: string, nth = 1): Promise<string> {
  const mail = await eventually(() => invitationsTo(email)[nth - 1], 'the invitation');
  return /accept-invitation\?token=([\w-]+)/.exec(mail.text)![1]!;
}

describe('an invitation', () => {
  it('is deleted 90 days after it was over, unless it was sent again', async () => {
    const { body: old } = await invite(acme.owner, guest.email);
    const { body: resent } = await invite(acme.owner, 'resent@example.com');
    const idOf = (publicId: string) => app.ports.ids.decode('ivt', publicId);
    const longAgo = new Date(Date.now() - 90 * 86_400_000 - 1000);
    await app
      .rows('organization_invitations')
      .whereIn('id', [idOf(old.id), idOf(resent.id)])
      .update({ expiresAt: longAgo });
    await acme.owner.request(`${acme.path}/invitations/${resent.id}/resend`, { method: 'POST' });
    const job = app.ports.jobs.all.find(({ name }) => name === 'invitations.purge_old')!;
    const control = runControl();
    await job.run(systemContext(app.ports, 'purging'), { at: new Date() }, control);
    const left = await app.rows('organization_invitations').whereIn('id', [idOf(old.id), idOf(resent.id)]);
    expect(left.map(({ id }) => id)).toEqual([idOf(resent.id)]);
  });

  it('is mailed, and makes the owner of the mailbox a member, once', async () => {
    const { status, body } = await invite(acme.owner, guest.email.toUpperCase());
    expect([status, body.status]).toEqual([201, 'PENDING']);
    const token = await tokenOf(guest.email.toUpperCase());
    const accepted = await settle(guest, 'accept', token);
    expect([accepted.status, accepted.body.role]).toEqual([200, 'MEMBER']);
    expect((await guest.request(acme.path)).status).toBe(200);
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([400, 'invalid_token']);
  });

  it('keeps its token out of the database, the events and the audit log', async () => {
    await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    const { rows: database } = app;
    const rows = await Promise.all(
      ['organization_invitations', 'events', 'audit_logs', 'outbox'].map((table) => database(table).select()),
    );
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('is accepted by someone who registers after it', async () => {
    await invite(acme.owner, 'later@example.com', 'VIEWER');
    const later = await app.signUp({ email: 'later@example.com' });
    expect((await settle(later, 'accept', await tokenOf(later.email))).body.role).toBe('VIEWER');
  });

  it('is for its mailbox, not for another user who finds the link', async () => {
    await invite(acme.owner, guest.email);
    const eve = await app.signUp();
    const token = await tokenOf(guest.email);
    expect(statusAndCode(await settle(eve, 'accept', token))).toEqual([403, 'invitation_for_another']);
    expect((await settle(guest, 'accept', token)).status).toBe(200);
  });

  it('makes one membership of 20 concurrent acceptances', async () => {
    await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    const answers = await Promise.all(Array.from({ length: 20 }, () => settle(guest, 'accept', token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body.code))).toEqual(
      new Set(['invalid_token']),
    );
  });

  it('expires after 7 days', async () => {
    await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    await app.rows('organization_invitations').update({ expiresAt: new Date(Date.now() - 1) });
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([400, 'invalid_token']);
    expect((await invite(acme.owner, guest.email)).status).toBe(201);
  });

  it('is EXPIRED by the clock in lists and answers, and can be resent, whatever happened to others', async () => {
    const ids = [];
    for (const name of ['a', 'b']) ids.push((await invite(acme.owner, `${name}-${guest.email}`)).body.id);
    await app
      .rows('organization_invitations')
      .whereIn(
        'id',
        ids.map((id) => app.ports.ids.decode('ivt', id)),
      )
      .update({
        expiresAt: new Date(Date.now() - 1),
      });
    const list = async (status: string) =>
      (await acme.owner.request(`${acme.path}/invitations?status=${status}`)).body.items.map(
        ({ id, status }: { id: string; status: string }) => [id, status],
      );
    const resend = (id: string) => acme.owner.request(`${acme.path}/invitations/${id}/resend`, { method: 'POST' });
    expect([await list('EXPIRED'), await list('PENDING')]).toEqual([ids.map((id) => [id, 'EXPIRED']).reverse(), []]);
    const first = await resend(ids[0]!);
    expect([first.status, first.body.status]).toEqual([200, 'PENDING']);
    const { body: other } = await invite(acme.owner, guest.email);
    const second = await resend(ids[1]!);
    expect([second.status, second.body.status]).toEqual([200, 'PENDING']);
    expect(await list('EXPIRED')).toEqual([]);
    expect(await list('PENDING')).toEqual([other.id, ids[1], ids[0]].map((id) => [id, 'PENDING']));
  });

  it('can be resent after it has expired only while no other to its mailbox is pending', async () => {
    const expire = () => app.rows('organization_invitations').update({ expiresAt: new Date(Date.now() - 1) });
    const resend = (id: string) => acme.owner.request(`${acme.path}/invitations/${id}/resend`, { method: 'POST' });
    const { body: first } = await invite(acme.owner, guest.email);
    await expire();
    const { body: second } = await invite(acme.owner, guest.email);
    expect(statusAndCode(await resend(first.id))).toEqual([409, 'invitation_pending']);
    await expire();
    expect((await resend(first.id)).status).toBe(200);
    expect(statusAndCode(await resend(second.id))).toEqual([409, 'invitation_pending']);
  });

  it('counts towards the limit of pending ones when it is resent', async () => {
    const { body } = await invite(acme.owner, guest.email);
    const { ids } = app.ports;
    await app.rows('organization_invitations').update({ expiresAt: new Date(Date.now() - 1) });
    await app.rows('organization_invitations').insert(
      Array.from({ length: 100 }, (_, at) => ({
        organizationId: acme.organizationId,
        email: `${at}@example.com`,
        emailKey: `${at}@example.com`,
        role: 'VIEWER',
        inviterUserId: ids.decode('usr', acme.owner.id),
        expiresAt: new Date(Date.now() + 60_000),
        createdAt: new Date(),
        updatedAt: new Date(),
      })),
    );
    const resent = await acme.owner.request(`${acme.path}/invitations/${body.id}/resend`, { method: 'POST' });
    expect(statusAndCode(resent)).toEqual([409, 'limit_reached']);
  });

  it('can be declined with the link alone, without an account', async () => {
    const { body } = await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    const decline = await app.request('/api/v1/invitations/decline', { method: 'POST', body: { token } });
    expect(decline.status).toBe(204);
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([400, 'invalid_token']);
    const { body: list } = await acme.owner.request(`${acme.path}/invitations?status=DECLINED`);
    expect(list.items.map(({ id }: { id: string }) => id)).toEqual([body.id]);
  });

  it('is dead once revoked, and cannot be resent then', async () => {
    const { body } = await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    const one = `${acme.path}/invitations/${body.id}`;
    expect((await acme.owner.request(one, { method: 'DELETE' })).status).toBe(204);
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([400, 'invalid_token']);
    const again = await acme.owner.request(`${one}/resend`, { method: 'POST' });
    expect(statusAndCode(again)).toEqual([409, 'invitation_not_pending']);
  });

  it('is neither resent nor revoked with the tag of an older version', async () => {
    const { body, headers } = await invite(acme.owner, guest.email);
    const one = `${acme.path}/invitations/${body.id}`;
    const first = { 'if-match': headers.get('etag')! };
    const resend = () => acme.owner.request(`${one}/resend`, { method: 'POST', headers: first });
    const revoke = (etag: Record<string, string>) => acme.owner.request(one, { method: 'DELETE', headers: etag });
    const second = await resend();
    expect(second.status).toBe(200);
    for (const stale of [await resend(), await revoke(first)])
      expect(statusAndCode(stale)).toEqual([412, 'version_mismatch']);
    expect((await revoke({ 'if-match': second.headers.get('etag')! })).status).toBe(204);
  });

  it('works by its newest link only', async () => {
    const { body } = await invite(acme.owner, guest.email);
    const first = await tokenOf(guest.email);
    await acme.owner.request(`${acme.path}/invitations/${body.id}/resend`, { method: 'POST' });
    const second = await tokenOf(guest.email, 2);
    expect(statusAndCode(await settle(guest, 'accept', first))).toEqual([400, 'invalid_token']);
    expect((await settle(guest, 'accept', second)).status).toBe(200);
  });

  it('is not found for an organization that was deleted', async () => {
    await invite(acme.owner, guest.email);
    const token = await tokenOf(guest.email);
    await acme.owner.request(acme.path, { method: 'DELETE' });
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([400, 'invalid_token']);
  });
});

describe('inviting', () => {
  it("requires the permission, and a role with no more permissions than the inviter's", async () => {
    const [admin, member] = [await acme.join('ADMIN'), await acme.join('MEMBER')];
    expect(statusAndCode(await invite(member, guest.email, 'VIEWER'))).toEqual([403, 'permission_denied']);
    expect(statusAndCode(await invite(admin, guest.email, 'OWNER'))).toEqual([403, 'permission_not_held']);
    expect(statusAndCode(await invite(admin, guest.email, 'KING'))).toEqual([400, 'invalid_input']);
    expect((await invite(admin, guest.email, 'ADMIN')).status).toBe(201);
  });

  it('grants nothing any more once the inviter was demoted or removed', async () => {
    for (const fall of ['demoted', 'removed']) {
      const admin = await acme.join('ADMIN');
      const invited = await app.signUp();
      await invite(admin, invited.email, 'ADMIN');
      const token = await tokenOf(invited.email);
      if (fall === 'demoted') await acme.setRole(acme.owner, admin, 'MEMBER');
      else await acme.owner.request(`${acme.path}/members/${admin.id}`, { method: 'DELETE' });
      expect(statusAndCode(await settle(invited, 'accept', token))).toEqual([409, 'invitation_no_longer_valid']);
      expect(statusAndCode(await invited.request(acme.path))).toEqual([404, 'not_found']);
    }
  });

  it('grants nothing any more once the inviting key was revoked', async () => {
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'inviter', scopes: ['*'] },
    });
    await app.request(`${acme.path}/invitations`, {
      method: 'POST',
      headers: { 'x-api-key': key.secret },
      body: { email: guest.email, role: 'VIEWER' },
    });
    const token = await tokenOf(guest.email);
    await acme.as(acme.owner)(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    expect(statusAndCode(await settle(guest, 'accept', token))).toEqual([409, 'invitation_no_longer_valid']);
  });

  it('refuses members, and mailboxes with a pending invitation', async () => {
    expect(statusAndCode(await invite(acme.owner, acme.owner.email))).toEqual([409, 'already_member']);
    await invite(acme.owner, guest.email);
    expect(statusAndCode(await invite(acme.owner, guest.email))).toEqual([409, 'invitation_pending']);
  });

  it('is limited per organization, for all members together', async () => {
    const admins = await Promise.all([acme.join('ADMIN'), acme.join('ADMIN')]);
    // All but two of the hundred, at once: while a busy machine makes them one by one, the bucket is refilled.
    const key = `{${acme.organizationId}}invitations`;
    const made = { name: 'invitations', key, size: 100, windowMs: 3_600_000, cost: 98 };
    expect(await app.ports.limiter.take([made])).toMatchObject({ allowed: true, strictest: { remaining: 2 } });
    const answers = [];
    for (const at of [0, 1, 2]) answers.push(await invite(admins[at % 2]!, `guest${at}@example.com`, 'VIEWER'));
    expect(answers.map(statusAndCode)).toEqual([[201], [201], [429, 'rate_limited']]);
    expect(answers.at(-1)!.headers.get('ratelimit-policy')).toContain('"invitations";q=100;w=3600');
    expect(answers.at(-1)!.headers.get('ratelimit')).toContain('"invitations"');
  });

  it("cannot be done, seen or revoked in a stranger's organization", async () => {
    const eve = await makeOrganization(app);
    const { body } = await invite(acme.owner, guest.email);
    expect(statusAndCode(await invite(eve.owner, guest.email))).toEqual([404, 'not_found']);
    const there = `${eve.path}/invitations/${body.id}`;
    expect(statusAndCode(await eve.owner.request(there, { method: 'DELETE' }))).toEqual([404, 'not_found']);
    expect(statusAndCode(await eve.owner.request(`${there}/resend`, { method: 'POST' }))).toEqual([404, 'not_found']);
    expect((await eve.owner.request(`${eve.path}/invitations`)).body.items).toEqual([]);
  });
});
