import { MemberModel } from '@rentapi/api/slices/members/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from './app.ts';
import { TRIPPED } from './tenant-tripwire.ts';

let app: TestApp;
let ada: Person;
let keyId: number;
let organizationId: number;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
  await app.signUp();
  const body = { name: 'CI', scopes: ['read:*'] };
  const { body: key } = await ada.request('/api/v1/api-keys', { method: 'POST', body });
  keyId = app.ports.ids.decode('key', key.id);
  organizationId = app.ports.ids.decode('org', ada.organizationId);
});
afterAll(() => app.close());

const sql = (text: string, values: readonly number[] = []) => app.ports.database.raw(text, values);

describe('a query that forgets its organization', () => {
  it('fails, even where only one organization has such rows', async () => {
    await expect(sql('select name from api_keys where id = ?', [keyId])).rejects.toThrow(TRIPPED);
    await expect(sql('update api_keys set version = 2 where id = ?', [keyId])).rejects.toThrow(TRIPPED);
    await expect(sql('delete from api_keys where id = ?', [keyId])).rejects.toThrow(TRIPPED);
    await expect(app.ports.database('api_keys').where({ id: keyId }).first()).rejects.toThrow(TRIPPED);
  });

  it('fails where a join takes the organization from another row', async () => {
    const joined = 'from users u join organization_members m on m.organization_id = u.default_organization_id';
    await expect(sql(`select m.role ${joined} where u.id = ?`, [1])).rejects.toThrow(TRIPPED);
  });

  it('fails where it names one organization and is shown the rows of another as well', async () => {
    const everybodys = 'select m.role from organization_members m, api_keys k where k.organization_id = ?';
    await expect(sql(everybodys, [organizationId])).rejects.toThrow(TRIPPED);
  });
});

describe('a query that names its organization, or that is marked to read all', () => {
  it('succeeds', async () => {
    const here = { db: app.ports.database, organization: { id: organizationId } };
    expect(await MemberModel.of(here)).toHaveLength(1);
    expect((await MemberModel.acrossOrganizations(app.ports.database)).length).toBeGreaterThan(1);
    await expect(sql('select name from api_keys where organization_id = ?', [organizationId])).resolves.toBeDefined();
  });
});
