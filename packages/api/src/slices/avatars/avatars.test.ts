import { connect } from 'node:net';
import { systemContext } from '@rentapi/api/context';
import { IMAGE_TYPES, MAX_PIXELS } from '@rentapi/platform/images';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode } from '../../../test/organization.ts';
import { PNG } from './avatars.proofs.ts';
import { AVATAR_SIZES, AVATAR_UPLOAD, MAX_AVATAR_BYTES } from './schemas.ts';

const ME = '/api/v1/users/me/avatar';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

interface Upload {
  by?: Person;
  path?: string;
  form?: FormData;
  bytes?: Uint8Array;
}
async function upload({ by = ada, path = ME, form = new FormData(), bytes = PNG }: Upload = {}) {
  if (![...form.keys()].length) form.append('file', new Blob([new Uint8Array(bytes)]), 'me.png');
  const headers = { authorization: `Bearer ${by.tokens.accessToken}` };
  const response = await fetch(app.url + path, { method: 'POST', body: form, headers });
  const body: Answer['body'] = await response.json();
  return { status: response.status, body };
}
const pathOf = (url: string) => url.replace(app.ports.env.PUBLIC_URL, '');
async function picture(url: string, size = '') {
  const response = await fetch(app.url + pathOf(url) + size);
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}
const formWith = (...parts: [name: string, value: string | Blob][]) => {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  return form;
};
const file = (bytes: Uint8Array = PNG) => new Blob([new Uint8Array(bytes)]);

describe('a picture', () => {
  it('is answered with the user, and shown to members, under an address of its own', async () => {
    const { status, body } = await upload();
    expect(status).toBe(200);
    expect(body.avatarUrl).toMatch(new RegExp(`^${app.ports.env.PUBLIC_URL}/api/v1/avatars/avt_[0-9a-z]{26}$`));
    expect((await ada.request('/api/v1/users/me')).body.avatarUrl).toBe(body.avatarUrl);
    const { as, join } = await makeOrganization(app, ada);
    const { body: seen } = await as(await join('MEMBER'))(`/api/v1/users/${ada.id}`);
    expect(seen.avatarUrl).toBe(body.avatarUrl);
  });

  it('is a WebP of each size, for anyone who has the address, and never changes there', async () => {
    const { avatarUrl } = (await upload()).body;
    for (const size of ['', ...AVATAR_SIZES.map((size) => `?size=${size}`)]) {
      const { status, headers, bytes } = await picture(avatarUrl, size);
      expect([status, headers.get('content-type')]).toEqual([200, 'image/webp']);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(bytes.toString('latin1', 8, 12)).toBe('WEBP');
    }
    expect((await picture(avatarUrl, '?size=65')).status).toBe(400);
    const head = await fetch(app.url + pathOf(avatarUrl), { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length')) > 0]).toEqual([200, true]);
    const unknown = app.ports.ids.encode('avt', 2 ** 40);
    expect((await fetch(`${app.url}/api/v1/avatars/${unknown}`, { method: 'HEAD' })).status).toBe(404);
    expect((await picture(`/api/v1/avatars/${unknown}`)).headers.get('cache-control')).toBe('no-store');
  });

  it('is replaced under a new address, and the old one is removed an hour later', async () => {
    const [first, second] = [(await upload()).body.avatarUrl, (await upload()).body.avatarUrl];
    expect(second).not.toBe(first);
    expect((await picture(first)).status).toBe(200);
    const sweep = app.ports.jobs.all.find(({ name }) => name === 'avatars.sweep')!;
    const run = () => sweep.run(systemContext(app.ports, 't'), { at: new Date() }, runControl());
    await run();
    expect((await picture(first)).status).toBe(200);
    app.advance(3_600_001);
    await run();
    app.advance(-3_600_001);
    expect([(await picture(first)).status, (await picture(second)).status]).toEqual([404, 200]);
  });

  it('is set by the user and by platform staff only', async () => {
    const [eve, staff] = await Promise.all([app.signUp(), app.signUp()]);
    const path = `/api/v1/users/${ada.id}/avatar`;
    expect((await upload({ path })).status).toBe(200);
    expect(statusAndCode(await upload({ by: eve, path }))).toEqual([403, 'permission_denied']);
    await app.rows('users').where({ email: staff.email }).update({ role: 'ADMIN' });
    expect((await upload({ by: staff, path })).body.id).toBe(ada.id);
    await app.rows('users').where({ email: ada.email }).update({ role: 'SUPER_ADMIN' });
    expect(statusAndCode(await upload({ by: staff, path }))).toEqual([403, 'target_has_more_permissions']);
    const nowhere = { by: staff, path: `/api/v1/users/${app.ports.ids.encode('usr', 2 ** 40)}/avatar` };
    expect(statusAndCode(await upload(nowhere))).toEqual([404, 'not_found']);
  });

  it('is refused where it is no picture, by its content', async () => {
    for (const content of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'GIF89a', '<script>alert(1)</script>', ''])
      expect(statusAndCode(await upload({ bytes: Buffer.from(content) }))).toEqual([415, 'unsupported_media_type']);
    expect(statusAndCode(await upload({ bytes: PNG.subarray(0, 40) }))).toEqual([422, 'image_refused']);
    const bomb = Buffer.from(PNG);
    bomb.writeUInt32BE(50_000, 16);
    bomb.writeUInt32BE(50_000, 20);
    expect(statusAndCode(await upload({ bytes: bomb }))).toEqual([422, 'image_refused']);
    expect((await ada.request('/api/v1/users/me')).body.avatarUrl).toBeNull();
  });

  it('may have 5 MiB and not one byte more', async () => {
    const padded = (bytes: number) => Buffer.concat([PNG, Buffer.alloc(bytes - PNG.length)]);
    expect((await upload({ bytes: padded(MAX_AVATAR_BYTES) })).status).toBe(200);
    expect(statusAndCode(await upload({ bytes: padded(MAX_AVATAR_BYTES + 1) }))).toEqual([413, 'body_too_large']);
    expect(statusAndCode(await upload({ bytes: padded(3 * MAX_AVATAR_BYTES) }))).toEqual([413, 'body_too_large']);
    expect(app.ports.bodies.heldBytes).toBe(0);
  });

  it('is the only field of the form, once', async () => {
    const wrong: [FormData, string, string][] = [
      [formWith(['picture', file()]), 'picture', 'is not a field of this request'],
      [formWith(['file', file()], ['name', 'x']), 'name', 'is not a field of this request'],
      [formWith(['file', file()], ['file', file()]), 'file', 'must be the only file, given once'],
      [formWith(['file', 'text']), 'file', 'is not a field of this request'],
    ];
    for (const [form, path, message] of wrong) {
      const { status, body } = await upload({ form });
      expect([status, body.errors]).toEqual([400, [{ path, message }]]);
    }
    expect(app.ports.bodies.heldBytes).toBe(0);
  });

  it('is a whole form', async () => {
    const send = (body: string | Buffer, contentType: string) =>
      fetch(app.url + ME, {
        method: 'POST',
        body: new Uint8Array(Buffer.from(body)),
        headers: { authorization: `Bearer ${ada.tokens.accessToken}`, 'content-type': contentType },
      }).then(async (response) =>
        statusAndCode({ status: response.status, body: (await response.json()) as Answer['body'] }),
      );
    expect(await send('{}', 'application/json')).toEqual([415, 'unsupported_media_type']);
    expect(await send(PNG, 'image/png')).toEqual([415, 'unsupported_media_type']);
    expect(await send('x', 'multipart/form-data')).toEqual([415, 'unsupported_media_type']);
    expect(await send('x', 'multipart/form-data; x=y')).toEqual([400, 'malformed_multipart']);
    const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nhalf';
    expect(await send(part, 'multipart/form-data; boundary=b')).toEqual([400, 'malformed_multipart']);
    expect(await send('--b--\r\n', 'multipart/form-data; boundary=b')).toEqual([400, 'invalid_input']);
    expect(await send('', 'multipart/form-data; boundary=b')).toEqual([400, 'malformed_multipart']);
  });

  it('whose sender disconnects leaves nothing held', async () => {
    const { port } = new URL(app.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST ${ME} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ada.tokens.accessToken}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n' +
        'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
    );
    await eventually(() => (app.ports.bodies.heldBytes > 0 ? true : undefined), 'the first bytes');
    socket.destroy();
    await eventually(() => (app.ports.bodies.heldBytes === 0 ? true : undefined), 'their release');
  });

  it('goes with the account', async () => {
    const { avatarUrl } = (await upload()).body;
    await ada.request('/api/v1/users/me', { method: 'DELETE' });
    const userId = app.ports.ids.decode('usr', ada.id);
    const [{ storageKey }] = await app.rows('avatars').where({ userId });
    expect(await app.ports.storage.get(`${storageKey}/64.webp`)).not.toBeNull();
    await app
      .rows('userDeletions')
      .where({ userId })
      .update({ eraseAt: new Date(0) });
    const erase = app.ports.jobs.all.find(({ name }) => name === 'accounts.erase_deleted')!;
    await erase.run(systemContext(app.ports, 't'), { at: new Date() }, runControl());
    expect((await picture(avatarUrl)).status).toBe(404);
    expect(await app.rows('avatars').where({ userId })).toEqual([]);
    expect(await app.ports.storage.get(`${storageKey}/64.webp`)).toBeNull();
  });
});

it('states types, extensions, sizes, pixels and refusals from the constants (V5.1.1)', () => {
  const { description } = AVATAR_UPLOAD;
  for (const [type, { extensions }] of Object.entries(IMAGE_TYPES))
    for (const word of [type, ...extensions.map((name) => `.${name}`)]) expect(description).toContain(word);
  for (const figure of [MAX_AVATAR_BYTES, MAX_PIXELS, ...AVATAR_SIZES]) expect(description).toContain(String(figure));
  for (const refusal of ['415', '413', '422', 'image_refused']) expect(description).toContain(refusal);
});
