import { readEnv } from '@rentapi/platform/env';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization } from '../../../test/organization.ts';
import { addAuthenticator, addPasskey } from '../../../test/second-factor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ REQUIRE_STAFF_TWO_FACTOR: 'true' });
});
afterAll(() => app.close());

const outcomeOf = ({ status, body }: Answer) => (status < 300 ? 'ok' : body.code);

describe('an organization that asks for a second factor (V6.3.3)', () => {
  async function asking() {
    const owner = await app.signUp();
    await addAuthenticator(app, owner);
    const acme = await makeOrganization(app, owner);
    const member = await acme.join('MEMBER');
    const require = (requireTwoFactor: boolean) =>
      owner.request(acme.path, { method: 'PATCH', body: { requireTwoFactor } });
    const read = (who: Person) => who.request(`${acme.path}/members`);
    return { owner, acme, member, require, read };
  }

  it('refuses members without one, and admits them once they have set one up', async () => {
    const { owner, member, require, read } = await asking();
    expect(outcomeOf(await read(member))).toBe('ok');
    expect((await require(true)).body).toMatchObject({ requireTwoFactor: true });
    expect(outcomeOf(await read(member))).toBe('two_factor_required');
    expect(outcomeOf(await read(owner))).toBe('ok');
    await addPasskey(app, member);
    expect(outcomeOf(await read(member))).toBe('ok');
  });

  it('admits everyone again when it stops asking', async () => {
    const { member, require, read } = await asking();
    await require(true);
    expect(outcomeOf(await read(member))).toBe('two_factor_required');
    await require(false);
    expect(outcomeOf(await read(member))).toBe('ok');
  });

  it('lets them leave, and act elsewhere', async () => {
    const { acme, member, require } = await asking();
    await require(true);
    expect(outcomeOf(await member.request(`/api/v1/organizations/${member.organizationId}/members`))).toBe('ok');
    expect(outcomeOf(await member.request(`${acme.path}/leave`, { method: 'POST' }))).toBe('ok');
  });

  it('shows them no permission there', async () => {
    const { acme, member, require } = await asking();
    await require(true);
    const headers = { 'x-organization-id': acme.id };
    const { body } = await member.request('/api/v1/users/me/permissions', { headers });
    expect(body.permissions).toEqual([]);
  });

  it('refuses non-members as before', async () => {
    const { require, read } = await asking();
    await require(true);
    expect(outcomeOf(await read(await app.signUp()))).toBe('not_found');
  });
});

describe('platform staff', () => {
  it('need a second factor for what their role allows, where REQUIRE_STAFF_TWO_FACTOR is on (V6.3.3)', async () => {
    const admin = await app.signUp();
    const id = app.ports.ids.decode('usr', admin.id);
    await app.rows('users').where({ id }).update({ role: 'SUPER_ADMIN' });
    app.ports.actors.forget(`user:${id}`);
    const create = () =>
      admin.request('/api/v1/users', { method: 'POST', body: { email: `${crypto.randomUUID()}@example.com` } });
    expect(outcomeOf(await create())).toBe('two_factor_required');
    expect(outcomeOf(await admin.request('/api/v1/users/me'))).toBe('ok');
    await addAuthenticator(app, admin);
    expect(outcomeOf(await create())).toBe('ok');
  });

  it('need none of it by default outside production', () => {
    const { REQUIRE_STAFF_TWO_FACTOR } = readEnv({});
    expect(REQUIRE_STAFF_TWO_FACTOR).toBe(false);
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://api.example.com',
      CORS_ORIGINS: 'https://a.example',
    };
    expect(readEnv(production).REQUIRE_STAFF_TWO_FACTOR).toBe(true);
  });
});
