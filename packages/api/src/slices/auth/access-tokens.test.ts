import { createHmac, type KeyObject, randomUUID, webcrypto } from 'node:crypto';
import { createKeyring } from '@rentapi/platform/secrets';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { toApiError } from '../../contract/problem.ts';
import { createAccessTokens } from './access-tokens.ts';

const SECRET = 'a secret for the tests of access tokens';
const OLD = 'the secret before it';
const NOW = new Date('2026-03-01T12:00:00.250Z');
const keyring = createKeyring(SECRET, [OLD]);
const issuer = 'https://api.example.com';
const claims = { sub: 'usr_1', sid: randomUUID() };
const open = (ring = keyring) => createAccessTokens({ keyring: ring, issuer, ttlS: 900 });

const ours = await open().sign(claims, NOW);
const header = decodeProtectedHeader(ours);
const payload = decodeJwt(ours);
const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const sign = (signed: string, key: KeyObject) =>
  `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
const forge = (head: unknown, body: unknown = payload, key = keyring.key('rentapi/jwt')) =>
  sign(`${encode(head)}.${encode(body)}`, key);

async function codeOf(token: string, now = NOW, tokens = open()): Promise<string> {
  try {
    const { sub, sid } = await tokens.verify(token, now);
    return sub === claims.sub && sid === claims.sid ? 'valid' : 'of another session';
  } catch (error) {
    return toApiError(error).errorCode;
  }
}

/** The same token with one character of one part changed. */
const changed = (token: string, part: 0 | 1 | 2): string =>
  token
    .split('.')
    .map((text, at) => (at === part ? `${text[0] === 'e' ? 'f' : 'e'}${text.slice(1)}` : text))
    .join('.');

/** The header that we write is verified at once, the same header in another order by jose. */
const WAYS = [
  { way: 'at once', head: header },
  { way: 'by jose', head: Object.fromEntries(Object.entries(header).reverse()) },
];

describe.each(WAYS)('a token that is verified $way', ({ way, head }) => {
  const token = forge(head);

  it('is valid under the current secret and each old one', async () => {
    const old = await open(createKeyring(OLD)).sign(claims, NOW);
    const oldHead = { ...head, kid: decodeProtectedHeader(old)['kid'] };
    expect(await codeOf(token)).toBe('valid');
    expect(await codeOf(forge(oldHead, payload, createKeyring(OLD).key('rentapi/jwt')))).toBe('valid');
  });

  it('asks the thread of WebCrypto only where jose verifies it', async () => {
    const verify = vi.spyOn(webcrypto.subtle, 'verify');
    const tokens = open();
    expect(await codeOf(token, NOW, tokens)).toBe('valid');
    expect(await codeOf(token, NOW, tokens)).toBe('valid'); // remembered
    expect(verify).toHaveBeenCalledTimes(way === 'at once' ? 0 : 1);
    verify.mockRestore();
  });

  it.each([0, 1, 2] as const)('is refused with another character in part %s', async (part) => {
    expect(await codeOf(changed(token, part))).toBe('invalid_access_token');
  });

  it.each([
    ['another issuer', { ...payload, iss: 'https://elsewhere.example.com' }],
    ['no issuer', { ...payload, iss: undefined }],
    ['another audience', { ...payload, aud: 'someone' }],
    ['no audience', { ...payload, aud: undefined }],
    ['no subject', { ...payload, sub: undefined }],
    ['a subject that is no text', { ...payload, sub: 7 }],
    ['no session', { ...payload, sid: undefined }],
    ['a session that is no UUID', { ...payload, sid: `${claims.sid} or true` }],
    ['no end', { ...payload, exp: undefined }],
    ['an end that is no number', { ...payload, exp: '9999999999' }],
    ['a time of issue that is no number', { ...payload, iat: 'now' }],
    ['a time before which it is not valid', { ...payload, nbf: NOW.getTime() / 1000 + 60 }],
    ['a payload that is no object', 'null'],
    ['a payload that is no JSON', '{'],
  ])('is refused with %s, though its signature is right', async (_, body) => {
    expect(await codeOf(forge(head, body))).toBe('invalid_access_token');
  });

  it('expires to the second, also when it is remembered', async () => {
    const end = new Date((payload.exp ?? 0) * 1000);
    const tokens = open();
    expect(await codeOf(token, new Date(end.getTime() - 1), tokens)).toBe('valid');
    expect(await codeOf(token, end, tokens)).toBe('access_token_expired');
    expect(await codeOf(token, end, open())).toBe('access_token_expired');
  });
});

it('signs with a secret as jose does, without its thread', async () => {
  const sign = vi.spyOn(webcrypto.subtle, 'sign');
  const token = await open().sign(claims, NOW);
  expect(sign).not.toHaveBeenCalled();
  sign.mockRestore();
  const expected = new SignJWT({ sid: claims.sid })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: String(header.kid) })
    .setIssuer(issuer)
    .setAudience('rentapi')
    .setSubject(claims.sub)
    .setIssuedAt(NOW)
    .setExpirationTime(Math.floor(NOW.getTime() / 1000) + 900);
  expect(token).toBe(await expected.sign(keyring.key('rentapi/jwt')));
});

it('verifies at once only the one spelling of a signature, and reads no character as another', async () => {
  expect(open().verify(ours, NOW)).not.toBeInstanceOf(Promise);
  const asByte = String.fromCharCode(ours.charCodeAt(ours.length - 1) + 256); // the same byte in Latin-1
  const spellings = [`${ours}=`, `${ours}.`, ` ${ours}`, `${ours}\n`, ours.slice(0, -1) + asByte];
  for (const spelling of spellings) {
    const verified = open().verify(spelling, NOW);
    expect([spelling, verified]).toEqual([spelling, expect.any(Promise)]);
    await Promise.allSettled([verified]);
  }
  expect(await codeOf(spellings.at(-1)!)).toBe('invalid_access_token');
});

it.each([
  ['alg none', { ...header, alg: 'none' }],
  ['another algorithm', { ...header, alg: 'HS512' }],
  ['an asymmetric algorithm', { ...header, alg: 'RS256' }],
  ['another type', { ...header, typ: 'JWT' }],
  ['no type', { ...header, typ: undefined }],
  ['no key id', { ...header, kid: undefined }],
  ['the key id of another secret', { ...header, kid: 'AAAAAAAA' }],
  ['a critical extension', { ...header, crit: ['b64'], b64: false }],
])('refuses a header with %s under our own key', async (_, head) => {
  expect(await codeOf(forge(head))).toBe('invalid_access_token');
});

it.each(['', '.', '..', '...', 'a', 'a.b', 'a.b.c', `${encode(header)}`, `${encode(header)}.`, `${encode(header)}..`])(
  'refuses %j, which is no token',
  async (text) => expect(await codeOf(text)).toBe('invalid_access_token'),
);

it('refuses the header of one key with the signature of another', async () => {
  expect(await codeOf(forge(header, payload, createKeyring(OLD).key('rentapi/jwt')))).toBe('invalid_access_token');
  expect(await codeOf(ours, NOW, open(createKeyring('a stranger’s secret')))).toBe('invalid_access_token');
});
