import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../test/app.ts';
import { ApiKeyModel } from '../slices/api-keys/model.ts';
import { MemberModel } from '../slices/members/model.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
afterAll(() => app.close());

describe("a model of tenants' rows", () => {
  it('refuses queries without an organization', () => {
    expect(() => ApiKeyModel.query()).toThrow('ApiKeyModel.of(ctx)');
    // @ts-expect-error: it takes no database either
    expect(() => ApiKeyModel.query(app.ports.database)).toThrow('ApiKeyModel.of(ctx)');
  });

  it('reads, changes and removes rows of that organization only', async () => {
    await app.signUp();
    const organization = { id: app.ports.ids.decode('org', ada.organizationId) };
    const here = { db: app.ports.database, organization };
    const members = await MemberModel.of(here);
    expect(members.map(({ userId }) => app.ports.ids.encode('usr', userId))).toEqual([ada.id]);
    expect(await MemberModel.of(here).patch({ version: 7 })).toBe(1);
    expect((await MemberModel.acrossOrganizations(app.ports.database)).length).toBeGreaterThan(1);
    expect(await MemberModel.of(here).delete()).toBe(1);
  });

  it('writes into that organization, whatever the fields say', async () => {
    const eve = await app.signUp();
    const organization = { id: app.ports.ids.decode('org', eve.organizationId) };
    const fields = { userId: app.ports.ids.decode('usr', ada.id), role: 'VIEWER' as const, createdAt: new Date() };
    const sneaky = { ...fields, organizationId: organization.id + 1 };
    const member = await MemberModel.add({ db: app.ports.database, organization }, sneaky);
    expect(member.organizationId).toBe(organization.id);
  });
});
